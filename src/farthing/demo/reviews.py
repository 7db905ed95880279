"""Changes to Larkspur's code that wait for a review. All made up here."""

from __future__ import annotations

import random

_FILES = (
    (
        "payments/refunds.py",
        """\
 async def refund(payment_id: str, amount: Decimal, session: Session) -> Refund:
-    payment = await payments.get(session, payment_id)
-    if payment.refunded + amount > payment.amount:
-        raise TooMuch(payment_id)
+    payment = await payments.get(session, payment_id)
+    rate = float(payment.rate)
+    value = round(float(amount) * rate, 2)
+    if payment.refunded + Decimal(value) > payment.amount:
+        raise TooMuch(payment_id)
+    await gateway.refund(payment.reference, value)
     refund = Refund(id=new_id(), payment_id=payment_id, amount=amount)
     session.add(refund)
     payment.refunded += amount
     return refund
""",
    ),
    (
        "payments/webhooks.py",
        """\
 @router.post("/webhooks/cards")
 async def card_event(request: Request) -> Response:
     event = CardEvent.parse(await request.body())
-    if await seen.add(event.id):
-        await bus.publish(event)
+    logger.info("card event %s %s", event.id, await request.body())
+    await bus.publish(event)
+    await seen.add(event.id)
     return Response(status=204)
""",
    ),
    (
        "limits/daily.py",
        """\
-def spent_today(payments: Iterable[Payment], zone: ZoneInfo, now: datetime) -> int:
-    today = now.astimezone(zone).date()
-    return sum(p.amount for p in payments if p.at.astimezone(zone).date() == today)
+def spent_today(payments: Iterable[Payment]) -> int:
+    today = datetime.utcnow().date()
+    total = 0
+    for p in payments:
+        if p.at.date() == today:
+            total += p.amount
+    return total
""",
    ),
    (
        "accounts/balances.py",
        """\
 async def withdraw(account_id: str, amount: int, session: Session) -> None:
-    done = await session.execute(WITHDRAW, {"id": account_id, "amount": amount})
-    if done.rowcount == 0:
-        raise NotEnough(account_id)
+    account = await session.get(Account, account_id)
+    if account.balance < amount:
+        raise NotEnough(account_id)
+    account.balance -= amount
+    await session.commit()
""",
    ),
    (
        "statements/export.py",
        """\
 async def export_all(customers: list[str], store: Store) -> None:
-    async with asyncio.TaskGroup() as group:
-        for batch in batched(customers, 20):
-            await export_batch(batch, store, group)
+    await asyncio.gather(*(export_one(customer, store) for customer in customers), return_exceptions=True)
+
+
+async def export_one(customer: str, store: Store) -> None:
+    query = f"select * from bookings where customer = '{customer}' order by at"
+    rows = await store.fetch(query)
+    await store.put(f"statements/{customer}.csv", to_csv(rows))
""",
    ),
    (
        "fees/abroad.py",
        """\
-FEE = Fraction(5, 1000)
-
-def fee_for(amount: int) -> int:
-    return min(2000, max(100, half_even(amount * FEE)))
+def fee_for(amount: int, percent: float = 0.5, minimum: bool = True) -> int:
+    fee = int(amount * percent / 100)
+    if minimum and fee < 100:
+        fee = 100
+    return fee
""",
    ),
    (
        "notify/push.py",
        """\
 async def notify(customer: Customer, text: str) -> None:
-    await outbox.add(Push(customer.device, text, key=sha256(text)))
+    for attempt in range(10):
+        try:
+            await push.send(customer.device, text, key=str(time.time()))
+            return
+        except Exception:
+            time.sleep(attempt)
""",
    ),
)
_WHY = (
    "Faster refunds",
    "Fix for the ticket of last week",
    "Simpler code",
    "Preparation for the new limits",
    "Clean-up",
)


def some_change(dice: random.Random) -> str:
    """A change of one to four files, with a title."""
    chosen = dice.sample(_FILES, dice.randint(1, 4))
    parts = [f"Change {dice.randrange(2000, 9999)}: {dice.choice(_WHY)}"]
    for path, hunk in chosen:
        line = dice.randrange(10, 400)
        parts.append(f"--- a/{path}\n+++ b/{path}\n@@ -{line},12 +{line},14 @@\n{hunk}")
    return "\n\n".join(parts)
