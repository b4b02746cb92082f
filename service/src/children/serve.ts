/** What a child says of one task: its answer, and the CPU time of the task and of the whole process so far. */
export interface Answer<Reply> {
  reply: Reply;
  cpuMs: number;
  totalCpuMs: number;
}

const milliseconds = ({ user, system }: NodeJS.CpuUsage) => (user + system) / 1000;

/**
 * Does one task after the other for the parent, which sends the next when it has the answer to the one before, and ends with it.
 * @param work never rejects: what goes wrong is part of its reply
 */
export function serveTasks<Task, Reply>(work: (task: Task) => Promise<Reply>): void {
  // `exit` would wait for what libvips does on other threads, and nobody waits for that any more.
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  // Ctrl-C reaches the whole group; the parent says when it is over.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => {});
  process.on('message', (task: Task) => {
    const before = process.cpuUsage();
    void work(task).then((reply) => {
      const cpuMs = milliseconds(process.cpuUsage(before));
      const answer: Answer<Reply> = { reply, cpuMs, totalCpuMs: milliseconds(process.cpuUsage()) };
      process.send?.(answer);
    });
  });
}
