DROP TABLE audit, idempotency, sessions, api_keys, exports, image_stages, event_log, event_streams, event_outbox,
  job_outbox, batch_items, images, batches, results, blobs, projects;
