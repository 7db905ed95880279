"""The order desk: an agent with tools, whose prompts grow by what the tools answer."""

from __future__ import annotations

import random
from collections.abc import Callable

import msgspec

from farthing.demo.bodies import Json, Step, claude
from farthing.demo.sample import Record, Sample, prompt

_MODEL = "claude-sonnet-4-5"
_TOOLS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("find_customer", "Finds a customer by e-mail, or by name and postcode.", ("email", "name", "postcode")),
    ("get_order", "Everything about an order: items, address, payments, status.", ("order_id",)),
    ("get_product", "The variants of a product with options, price and availability.", ("product_id",)),
    ("change_order", "Changes a pending order. Only after a clear yes.", ("order_id", "changes", "payment_id")),
    ("cancel_order", "Cancels a pending order. Only after a clear yes.", ("order_id", "reason")),
    ("exchange_items", "Exchanges items of a delivered order.", ("order_id", "item_ids", "new_item_ids", "payment_id")),
    ("hand_over", "Hands the customer over to a colleague.", ("summary",)),
)
_OPENINGS = (
    "Hello, can you tell me what is in my order {order} and when it comes?",
    "I want to exchange something from order {order}. Is that possible?",
    "Something in order {order} has the wrong colour. What can I do?",
    "What did I pay for order {order}, and with what?",
)
_FOLLOW_UPS = (
    "Is there a cheaper version of the {item} in stock?",
    "Which other options do you have for the {item}?",
    "Could I have the {item} in another colour?",
)
_ENDINGS = ("Yes, please do that.", "Yes, go ahead with the first one.", "No, leave it as it is. Thank you.")


def order_visit(sample: Sample) -> Callable[[random.Random, float], list[Step]]:
    """Visits of one to four requests: asked, order looked up, product looked up, agreed."""
    orders = [record for record in sample.records if record.kind == "retail_order"]
    products = [record for record in sample.records if record.kind == "retail_product"]
    system = prompt("agent")
    tools = [_tool(*each) for each in _TOOLS]

    def visit(dice: random.Random, _: float) -> list[Step]:
        order = dice.choice(orders)
        messages: list[Json] = []
        steps: list[Step] = []
        for turns in _conversation(dice, order, dice.choice(products))[: dice.randint(2, 4)]:
            messages = [*messages, *turns]
            gap = dice.uniform(4, 60) if steps else 0.0
            steps.append(claude(_MODEL, system, messages, stream=dice.random() < 0.7, gap=gap, tools=tools))
        return steps

    return visit


def _conversation(dice: random.Random, order: Record, product: Record) -> list[list[Json]]:
    """What is added to the messages before every request."""
    key = str(order.payload["order_id"])
    item = str(product.payload["name"])
    return [
        [_said("user", dice.choice(_OPENINGS).format(order=key))],
        _looked_up(dice, "get_order", {"order_id": key}, order),
        [
            _said("assistant", "Here is what I found. Is there anything that you would like to change?"),
            _said("user", dice.choice(_FOLLOW_UPS).format(item=item)),
            *_looked_up(dice, "get_product", {"product_id": str(product.payload["product_id"])}, product),
        ],
        [
            _said("assistant", "There are some. Shall I put the first available one into the order?"),
            _said("user", dice.choice(_ENDINGS)),
        ],
    ]


def _looked_up(dice: random.Random, tool: str, arguments: Json, record: Record) -> list[Json]:
    key = f"toolu_01{dice.randrange(16**20):020x}"
    call = {"type": "tool_use", "id": key, "name": tool, "input": arguments}
    result = {"type": "tool_result", "tool_use_id": key, "content": msgspec.json.encode(record.payload).decode()}
    return [{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]


def _said(role: str, text: str) -> Json:
    return {"role": role, "content": text}


def _tool(name: str, description: str, fields: tuple[str, ...]) -> Json:
    properties: Json = {field: {"type": "string", "description": field.replace("_", " ")} for field in fields}
    schema = {"type": "object", "properties": properties, "required": list(fields[:1])}
    return {"name": name, "description": description, "input_schema": schema}
