"""The official OpenAI client behind farthing: only the address is another one."""

import os
import sys

from openai import OpenAI

BASE = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("FARTHING_URL", "http://127.0.0.1:8321")

client = OpenAI(base_url=f"{BASE}/v1", api_key=os.environ.get("OPENAI_API_KEY", "sk-any"))
reply = client.chat.completions.with_raw_response.create(
    model="gpt-4o-mini",
    messages=[{"role": "user", "content": "How do I top up my card?"}],
    extra_headers={"x-farthing-user": "ada", "x-farthing-feature": "support"},
)
print(reply.parse().choices[0].message.content)
print("cost, in dollars:", reply.headers["x-farthing-cost-usd"])
