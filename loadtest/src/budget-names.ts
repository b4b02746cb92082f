/** What budgets are called, by the scenarios that they belong to. */

export const BUDGET_NAMES = [
  'ui_settle_ms',
  'bulk_calls',
  'toasts',
  'result_memory_bytes',
  'delivery_missing',
  'delivery_duplicates',
  'api_latency_mean_ms',
  'db_query_p95_ms',
  'image_list_p95_ms',
  'inference_p95_ms',
  'throughput_images_per_minute',
  'service_rss_bytes',
  'worker_rss_bytes',
  'cache_hit_ratio',
  'compression_ratio',
  'bundle_gzip_bytes',
  'first_paint_ms',
  'frame_p95_ms',
  'download_rss_growth_bytes',
] as const;
/** Of the scenarios that break things on purpose, or load them beyond what they bear. */
export const RELIABILITY_BUDGET_NAMES = [
  'fault_images_lost',
  'fault_duplicates',
  'fault_sequence_gaps',
  'fault_counter_mismatches',
  'fault_toasts_per_batch',
  'fault_crashes_per_image',
  'fault_orphaned_images',
  'recovery_worker_killed_ms',
  'recovery_queue_wiped_ms',
  'recovery_database_restart_ms',
  'recovery_socket_away_ms',
  'overload_goodput_ratio',
  'overload_p99_ratio',
  'overload_other_answers',
  'overload_rss_growth_bytes',
  'overload_recovery_ms',
  'idle_sockets_p95_ratio',
  'idle_sockets_gaps',
  'fairness_other_project_ratio',
  'fairness_urgent_ratio',
  'drain_failed_requests',
  'drain_images_wrong',
  'drain_sequence_gaps',
  'drain_bad_exits',
  'drain_exit_ms',
  'soak_api_leak_bytes',
  'soak_relay_leak_bytes',
  'soak_worker_leak_bytes',
  'soak_inference_leak_bytes',
  'soak_queue_redis_leak_bytes',
  'soak_descriptors_leak',
  'soak_database_bytes_per_image',
  'soak_images_wrong',
  'storm_events_missing',
  'storm_duplicates',
  'storm_sequence_gaps',
  'storm_frames_ratio',
  'storm_delivery_p99_ms',
  'storm_rss_growth_bytes',
  'tenants_small_ratio',
  'tenants_foreign_events',
  'tenants_foreign_answers',
  'tenants_images_wrong',
  'capacity_images_wrong',
  'capacity_levels',
  'scale_share_to_4',
  'scale_share',
  'scale_kill_lost_ms',
  'scale_images_wrong',
  'scale_events_wrong',
] as const;
/** Of the scenarios that send requests from many users, or to one endpoint at a time. */
export const DRIVER_BUDGET_NAMES = [
  'browse_list_p95_ms',
  'browse_detail_p95_ms',
  'browse_result_p95_ms',
  'browse_results_p95_ms',
  'browse_graphql_p95_ms',
  'browse_range_p95_ms',
  'browse_submit_p95_ms',
  'browse_failed_requests',
  'browse_refused_requests',
  'browse_wrong_answers',
  'browse_frame_gaps',
  'endpoints_failed_requests',
] as const;
/** Of the pages: with very many images, with one large one, and open for long. */
export const PAGE_BUDGET_NAMES = [
  'gallery_first_paint_ms',
  'gallery_dom_nodes',
  'gallery_heap_retained_bytes',
  'gallery_frame_p95_ms',
  'gallery_wrong_cells',
  'viewer_pan_frame_p95_ms',
  'viewer_zoom_frame_p95_ms',
  'viewer_first_part_ms',
  'viewer_heap_retained_bytes',
  'viewer_wrong_outlines',
  'hour_operator_growth_bytes',
  'hour_gallery_growth_bytes',
  'hour_wrong_looks',
] as const;
/** Of the delivery proof, for whose service it may be. */
export const PROOF_BUDGET_NAMES = [
  'proof_not_accepted',
  'proof_not_ended',
  'proof_lost',
  'proof_twice',
  'proof_late',
  'proof_untrue',
  'proof_gaps',
] as const;
/** Of the gate itself. */
export const GATE_BUDGET_NAMES = [
  'gate_false_alarms',
  'gate_power',
  'gate_wrong_passes',
  'gate_real_false_alarms',
  'gate_real_missed',
] as const;
export type BudgetName =
  | (typeof BUDGET_NAMES)[number]
  | (typeof RELIABILITY_BUDGET_NAMES)[number]
  | (typeof DRIVER_BUDGET_NAMES)[number]
  | (typeof PAGE_BUDGET_NAMES)[number]
  | (typeof PROOF_BUDGET_NAMES)[number]
  | (typeof GATE_BUDGET_NAMES)[number];
