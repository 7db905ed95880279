from __future__ import annotations

import shutil
import socket
import threading

import msgspec
import pytest
import uvicorn

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH (apt-get install chromium)"),
]


@pytest.fixture
def serve():
    """The address of an application on a free loopback port."""
    stops = []

    def start(app):
        listening = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        stops.append((server, thread, listening))
        return f"http://127.0.0.1:{listening.getsockname()[1]}/farthing/"

    yield start
    for server, thread, listening in stops:
        server.should_exit = True
        thread.join(20)
        listening.close()


@pytest.fixture
async def browser(tmp_path):
    """A fresh Chromium: ``page, problems = await browser(width=…, scheme=…)``; problems are what its console said."""
    playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
    async with playwright.async_playwright() as driver:
        contexts = []

        async def open_page(*, width=1280, scheme="light"):
            context = await driver.chromium.launch_persistent_context(
                tmp_path / f"profile-{len(contexts)}",
                executable_path=CHROMIUM,
                args=FLAGS,
                viewport={"width": width, "height": 800},
                color_scheme=scheme,
            )
            contexts.append(context)
            page, problems = await context.new_page(), []
            page.on("console", lambda message: problems.append(message.text))
            page.on("pageerror", lambda error: problems.append(str(error)))
            page.on("requestfailed", lambda request: problems.append(request.url))
            page.on("response", lambda answer: answer.ok or problems.append(f"{answer.status} {answer.url}"))
            return page, problems

        yield open_page
        for context in contexts:
            await context.close()


@pytest.mark.parametrize("width", [360, 1280])
async def test_page_fits_and_reads_at_any_width(browser, serve, dashboard, memory, a_month, width):
    home = serve(dashboard(memory(a_month(tenants=("acme", "globex")))))
    page, problems = await browser(width=width)
    await page.goto(home)
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    chart = page.get_by_role("img", name="Spend a day by feature, last 30 days")
    box = await chart.bounding_box()
    assert box["width"] > 0.8 * min(width, 1184) - 60
    assert await chart.locator("rect.block").count() > 60
    assert "saved: $" in await chart.locator(".column title").nth(20).text_content()
    assert await page.get_by_role("row").count() > 50
    assert await page.get_by_role("columnheader", name="Share").count() >= 4
    await page.get_by_text("The same as a table").click()
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    assert problems == []


async def test_dark_is_dark(browser, serve, dashboard, memory, a_month):
    home = serve(dashboard(memory(a_month())))
    brightness = {}
    for scheme in ("light", "dark"):
        page, problems = await browser(scheme=scheme)
        await page.goto(home)
        colours = [
            await page.evaluate(f"getComputedStyle(document.querySelector('{what}')).{how}")
            for what, how in (("body", "backgroundColor"), ("body", "color"), (".block.s0", "fill"))
        ]
        brightness[scheme] = [sum(map(int, colour.removeprefix("rgb(").rstrip(")").split(","))) for colour in colours]
        assert problems == []
    paper, ink, bar = zip(brightness["light"], brightness["dark"], strict=True)
    assert (paper[0] > 700, paper[1] < 100) == (True, True)
    assert (ink[0] < 150, ink[1] > 600) == (True, True)
    assert bar[0] < bar[1]


async def test_links_lead_somewhere(browser, serve, dashboard, memory, a_month):
    home = serve(dashboard(memory(a_month(tenants=("acme", "globex")))))
    page, problems = await browser()
    await page.goto(home)
    await page.get_by_role("navigation", name="Tenant").get_by_role("link", name="globex").click()
    await page.get_by_role("navigation", name="Period").get_by_role("link", name="7 d").click()
    assert page.url == f"{home}?range=7d&tenant=globex"
    assert await page.locator("[aria-current=page]").all_inner_texts() == ["7 d", "globex"]
    await page.locator(".requests .time a").first.click()
    assert "/requests/fr_" in page.url
    assert await page.get_by_role("heading", level=1).inner_text() == f"Request {page.url.rsplit('/', 1)[1]}"
    as_json = await page.get_by_role("link", name="As JSON").get_attribute("href")
    assert (await (await page.request.get(f"{home.removesuffix('/farthing/')}{as_json}")).json())["id"] in page.url
    await page.get_by_role("link", name="All requests").click()
    assert page.url == f"{home}#requests"
    assert problems == []


async def test_welcome_fits_a_phone(browser, serve, dashboard, memory):
    home = serve(dashboard(memory()))
    page, problems = await browser(width=360)
    await page.goto(home)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
    assert (
        f"export OPENAI_BASE_URL={home.removesuffix('/farthing/')}/v1" in await page.locator("pre").first.inner_text()
    )
    assert problems == []


async def test_script_in_a_name_stays_text(browser, serve, dashboard, memory, a_month):
    one = next(iter(a_month()))
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    caller = msgspec.structs.replace(one.caller, tenant=evil, user=evil, feature=evil)
    records = [msgspec.structs.replace(one, id="fr_evil", caller=caller, model=evil, error=evil)]
    home = serve(dashboard(memory(records)))
    page, problems = await browser()
    for path in (home, f"{home}requests/fr_evil"):
        await page.goto(path)
        assert await page.locator("script, main img").count() == 0
        assert await page.get_by_text(evil).count() >= 3
    assert problems == []
