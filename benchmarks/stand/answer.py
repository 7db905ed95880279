"""What the upstreams answer."""

TEXT = "The capital of France is Paris."
ANSWER = (
    '{"id":"chatcmpl-1","object":"chat.completion","created":1750000000,"model":"gpt-4o-mini","choices":[{"index":0,'
    '"message":{"role":"assistant","content":"' + TEXT + '"},"logprobs":null,"finish_reason":"stop"}],'
    '"usage":{"prompt_tokens":24,"completion_tokens":7,"total_tokens":31,'
    '"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0}},"system_fingerprint":"fp_1"}'
)
