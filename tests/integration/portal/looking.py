"""What is looked for on a page, whatever page it is."""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

_TAGS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

ALL_RULES: Final = {"type": "tag", "values": _TAGS}
"""Of axe-core: WCAG 2.2, levels A and AA, and what is good practice beside."""
COLOURS: Final = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
"""What another scheme of colours may change, and nothing else."""

_RUN_AXE: Final = """async (only) => {
  const options = { runOnly: only, iframes: false, resultTypes: ["violations"] };
  const said = (node) => `${node.target.join(" ")} ${node.any[0]?.message ?? ""}`;
  const found = await axe.run(document, options);
  return found.violations.map((each) => `${each.id}: ${each.nodes.map(said)}`);
}"""

_INLINE: Final = """() => {
  const found = [];
  for (const each of document.querySelectorAll("*")) {
    for (const { name } of each.attributes) {
      if (name.startsWith("on") || name === "style") found.push(`${each.tagName} ${name}`);
    }
    if (each.tagName === "STYLE" || (each.tagName === "SCRIPT" && !each.src)) found.push(each.tagName);
  }
  return found;
}"""

_REACHABLE: Final = """() => {
  const wanted = 'a[href], button, input, select, textarea, summary, [tabindex="0"]';
  let count = 0;
  for (const each of document.querySelectorAll(wanted)) {
    const passed = each.disabled || each.tabIndex < 0 || (each.type === "radio" && !each.checked);
    if (passed || !each.checkVisibility({ visibilityProperty: true })) continue;
    each.dataset.reach = String(count++);
  }
  return count;
}"""

_FOCUSED: Final = """() => {
  const now = document.activeElement;
  const style = getComputedStyle(now);
  const seen = now.tagName === "IFRAME" || style.outlineStyle !== "none" || style.boxShadow !== "none";
  return [now.dataset?.reach ?? null, seen, now.outerHTML.slice(0, 100)];
}"""


@cache
def _axe() -> str:
    return resources.files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")


def violations(page: Any, rules: Mapping[str, Any] = ALL_RULES) -> list[str]:
    """Return what axe-core finds fault with."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_axe())
    found: list[str] = page.evaluate(_RUN_AXE, dict(rules))
    return found


def inline_code(page: Any) -> list[str]:
    """Return what is script or style within the page itself."""
    found: list[str] = page.evaluate(_INLINE)
    return found


def times_without_utc(page: Any) -> list[str]:
    """Return instants that do not tell UTC to who points at them."""
    found: list[str] = page.evaluate(
        "[...document.querySelectorAll('time')].filter((t) => !t.title.endsWith(' UTC'))"
        ".map((t) => t.outerHTML)"
    )
    return found


def width(page: Any) -> int:
    """Return how wide the page is, in CSS pixels, whether it fits or not."""
    found: int = page.evaluate("document.documentElement.scrollWidth")
    return found


def unreachable(page: Any) -> list[str]:
    """Walk through a page by the Tab key; return what it misses, and where it cannot be seen."""
    count = page.evaluate(_REACHABLE)
    missed, invisible = set(range(count)), []
    for _ in range(2 * count + 5):
        page.keyboard.press("Tab")
        mark, seen, html = page.evaluate(_FOCUSED)
        if mark is not None:
            missed.discard(int(mark))
            if not seen:
                invisible.append(f"no focus to be seen: {html}")
        if not missed:
            break
    # What was replaced meanwhile by something fresher is not missed.
    marked = (page.locator(f"[data-reach='{each}']") for each in missed)
    left = [each.evaluate("e => e.outerHTML") for each in marked if each.count()]
    return [*(f"never reached: {html[:200]}" for html in left), *invisible]
