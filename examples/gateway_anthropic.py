"""The official Anthropic client behind farthing: only the address is another one."""

import os
import sys

from anthropic import Anthropic

BASE = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("FARTHING_URL", "http://127.0.0.1:8321")

client = Anthropic(base_url=BASE, api_key=os.environ.get("ANTHROPIC_API_KEY", "sk-any"))
with client.messages.stream(
    model="claude-haiku-4-5",
    max_tokens=500,
    messages=[{"role": "user", "content": "How do I top up my card?"}],
    extra_headers={"x-farthing-user": "ada", "x-farthing-feature": "support"},
) as stream:
    for text in stream.text_stream:
        print(text, end="", flush=True)
print()
