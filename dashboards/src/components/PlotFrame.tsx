import { useSignal, useSignalEffect, type Signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { inksOf } from '../charts/inks.ts';
import { mendLanguage } from '../charts/locale.ts';
import type { Plot } from '../charts/plot.ts';
import type { ChartData } from '../models/charts.ts';
import { WORDS } from '../words/charts.ts';
import '../styles/charts.css';

const STEPS: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1, PageUp: -30, PageDown: 30 };

/** The canvas of a chart: loaded apart, drawn anew with each change of `data`, in the colours of the day or of the night. */
export function PlotFrame(props: {
  label: string;
  lines: number;
  log: boolean;
  /** Which line is a share, over the whole height. */
  share?: number | undefined;
  format: (value: number) => string;
  formatX?: (value: number) => string;
  points?: boolean;
  /** Reads the signals that it follows. */
  data: () => ChartData;
  /** Which value is read, in all charts that share it; null for the newest. */
  cursor: Signal<number | null>;
}) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useSignal<Plot | null>(null);
  const failed = useSignal(false);
  const dark = useSignal(matchMedia('(prefers-color-scheme: dark)').matches);
  useEffect(() => {
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const follow = () => (dark.value = scheme.matches);
    scheme.addEventListener('change', follow);
    return () => scheme.removeEventListener('change', follow);
  }, []);
  const { lines, log, share, format, formatX, points, cursor } = props;
  useEffect(() => {
    const frame = host.current!;
    let gone = false;
    const size = () => ({ width: Math.max(80, frame.clientWidth), height: Math.max(60, frame.clientHeight) });
    const seen = new ResizeObserver(() => plot.peek()?.resize(size()));
    mendLanguage(navigator);
    import('../charts/plot.ts').then(
      ({ createPlot }) => {
        if (gone) return;
        plot.value = createPlot({
          host: frame,
          ...size(),
          inks: inksOf(frame, lines),
          log,
          share,
          format,
          onCursor: (index) => (cursor.value = index),
          ...(formatX && { formatX }),
          ...(points && { points }),
        });
        seen.observe(frame);
      },
      () => (failed.value = true),
    );
    return () => {
      gone = true;
      seen.disconnect();
      plot.peek()?.destroy();
      plot.value = null;
    };
  }, [dark.value, lines]);
  useSignalEffect(() => {
    const data = props.data();
    plot.value?.set(data);
  });
  useSignalEffect(() => plot.value?.point(cursor.value));
  function move(step: number): void {
    const newest = props.data().columns[0].length - 1;
    cursor.value = Math.min(newest, Math.max(0, (cursor.peek() ?? newest) + step));
  }
  const { loading, failed: failedWords, keys } = WORDS;
  return (
    <>
      <div
        class="plot"
        ref={host}
        tabIndex={0}
        role="group"
        aria-label={props.label}
        aria-description={keys}
        onKeyDown={(event) => {
          const step = STEPS[event.key];
          if (event.key === 'Escape') cursor.value = null;
          if (step === undefined) return;
          event.preventDefault();
          move(step);
        }}
      />
      {!plot.value && <span class="plot-note faint">{failed.value ? failedWords : loading}</span>}
    </>
  );
}
