"""What farthing tells the tools that watch it: metrics, traces, request logs. Never texts, never keys."""
