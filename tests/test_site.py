"""The documentation site: it builds without a warning, asks nothing of the network, and can be read and searched."""

from __future__ import annotations

import doctest
import importlib
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
import yaml
from filelock import FileLock

from tests.core.browser import Browser, needs_browser, open_browser

ROOT = Path(__file__).parents[1]
PHONE, DESK = 390, 1200
PACKAGES = ("autosynth", "autosynth_autogluon", "autosynth_gx", "autosynth_sklearn", "autosynth_mlflow")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The site's folder, and what the build said; built once, however many processes run the tests."""
    in_parts = "PYTEST_XDIST_WORKER" in os.environ
    shared = tmp_path_factory.getbasetemp().parent if in_parts else tmp_path_factory.mktemp("built")
    folder, log = shared / "site", shared / "site.log"
    with FileLock(shared / "site.lock"):
        if not log.is_file():
            log.write_text(build(folder), encoding="utf-8")
    return folder, log.read_text(encoding="utf-8")


def build(folder: Path) -> str:
    """Build the site as `make docs` does and return what was said."""
    run = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout + run.stderr


@pytest.fixture(scope="session")
def site(built: tuple[Path, str]) -> Path:
    return built[0]


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], ModuleType]]:
    """The modules of docs/hooks by their names, as the build imports them."""
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "hooks"))
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if str(ROOT / "docs") in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


class Outline(HTMLParser):
    """What a page loads, where it links, and which places it has."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = {name: value or "" for name, value in attrs}
        self.ids.update(filter(None, [facts.get("id"), facts.get("name") if tag == "a" else None]))
        if tag == "a":
            self.links.append(facts.get("href", ""))
        elif tag == "link" and facts.get("rel") not in ("canonical", "next", "prev"):
            self.loads.append(facts.get("href", ""))
        elif "src" in facts:
            self.loads.append(facts["src"])


@pytest.fixture(scope="session")
def outlines(site: Path) -> dict[Path, Outline]:
    return {page: Outline(page) for page in sorted(site.rglob("*.html"))}


def nav_pages(entries: list[object]) -> Iterator[str]:
    for entry in entries:
        if isinstance(entry, str):
            yield entry
        elif isinstance(entry, dict):
            for value in entry.values():
                yield from nav_pages(value if isinstance(value, list) else [value])


def test_the_site_builds_without_a_warning(built: tuple[Path, str]) -> None:
    lines = [line for line in built[1].splitlines() if line.strip()]
    assert lines
    assert [line for line in lines if not line.startswith("INFO")] == []


def test_every_page_of_the_navigation_is_there(site: Path) -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = list(nav_pages(yaml.safe_load(text)["nav"]))
    assert len(pages) == len(set(pages)) > 25
    for page in pages:
        assert (site / page).with_suffix(".html").is_file(), page


def test_no_page_loads_anything_from_elsewhere(site: Path, outlines: dict[Path, Outline]) -> None:
    for page, outline in outlines.items():
        for address in outline.loads:
            assert not re.match(r"(https?:)?//", address), f"{page} loads {address}"
    for sheet in site.rglob("*.css"):
        outside = re.findall(r"(?:@import|url\()\s*[\"']?(?:https?:)?//[^)\"']*", sheet.read_text(encoding="utf-8"))
        assert outside == [], sheet


def test_every_link_and_anchor_of_the_site_leads_somewhere(site: Path, outlines: dict[Path, Outline]) -> None:
    for page, outline in outlines.items():
        if page.name == "404.html":  # its links start from the root of a server
            continue
        for link in outline.links:
            target, _, anchor = link.partition("#")
            if re.match(r"[a-z]+:", target):
                continue
            file = (page.parent / target).resolve() if target else page
            assert file.exists(), f"{page}: {link}"
            if anchor and file in outlines:
                assert anchor in outlines[file].ids | {"__top"}, f"{page}: {link}"


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_in_the_reference(package: str, site: Path, outlines: dict[Path, Outline]) -> None:
    names = {f"{package}.{name}" for name in importlib.import_module(package).__all__}
    documented = set().union(*(outline.ids for page, outline in outlines.items() if page.parent.name == "reference"))
    assert names - documented == set()


def test_every_hook_and_every_error_is_in_the_reference(site: Path, outlines: dict[Path, Outline]) -> None:
    from autosynth import exceptions, hookspecs

    hooks = {f"autosynth.hookspecs.{name}" for name in vars(hookspecs) if name.startswith("autosynth_")}
    assert len(hooks) > 5
    assert hooks <= outlines[site / "reference" / "hooks.html"].ids
    errors = {name for name in exceptions.__all__ if name[0].isupper()}
    assert {f"autosynth.exceptions.{name}" for name in errors} <= outlines[site / "reference" / "errors.html"].ids


def test_no_role_and_no_formula_is_left_undrawn(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert "arithmatex" not in text, page
        assert not re.search(r":(func|class|meth|mod|data|attr|exc):", text), page
        assert "<autoref" not in text, page
    assert (site / "concepts.html").read_text(encoding="utf-8").count("<math") > 30


def test_every_result_file_has_a_page_that_offers_it(site: Path) -> None:
    for results in (ROOT / "benchmarks").glob("*.csv"):
        text = (site / "benchmarks" / f"{results.stem}.html").read_text(encoding="utf-8")
        assert f'href="{results.name}"' in text
        assert (site / "benchmarks" / results.name).read_bytes() == results.read_bytes()


def test_pages_of_results_are_made_from_the_rows_they_are_given(hook: Callable[[str], ModuleType]) -> None:
    rows = pd.DataFrame({"table": "t", "seed": [0, 1], "arm": "none", "validation": [0.9, 0.7], "test": [0.5, 0.5]})
    text = hook("result_tables").leakage(rows.assign(optimism=rows["validation"] - rows["test"]))
    assert "| t | none | 0.800 | 0.500 | 0.300 |" in text


def test_a_new_result_file_gets_a_page_and_an_entry_of_its_own(
    tmp_path: Path, hook: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = hook("benchmark_pages")
    (tmp_path / "coin_tosses.csv").write_text("side,share\nheads,0.5\n")
    (tmp_path / "coin_tosses.py").write_text('"""Claim: coins are fair.\n\n    python coin_tosses.py\n"""\n')
    monkeypatch.setattr(pages, "FOLDER", tmp_path)
    monkeypatch.setattr(pages, "BENCHMARKS", ())
    assert pages.navigation() == ["benchmarks/index.md", {"Coin tosses": "benchmarks/coin_tosses.md"}]
    place, text = list(pages.pages())[1]
    assert place == "benchmarks/coin_tosses.md"
    assert text.startswith("# Coin tosses\n\n**Coins are fair.**")
    assert "| heads | 0.500 |" in text
    assert list(pages.files()) == [tmp_path / "coin_tosses.csv", tmp_path / "coin_tosses.py"]


def test_a_page_whose_result_file_is_gone_stops_the_build(
    tmp_path: Path, hook: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    pages, tables = hook("benchmark_pages"), hook("result_tables")
    (tmp_path / "coin_tosses.py").write_text('"""Claim: coins are fair."""\n')
    gone = pages.Benchmark(name="coin_tosses", title="Coin tosses", show=tables.first_rows)
    monkeypatch.setattr(pages, "FOLDER", tmp_path)
    monkeypatch.setattr(pages, "BENCHMARKS", (gone,))
    with pytest.raises(FileNotFoundError, match=r"coin_tosses\.csv"):
        list(pages.pages())


def test_a_result_file_without_a_summary_shows_its_first_rows(hook: Callable[[str], ModuleType]) -> None:
    text = hook("result_tables").first_rows(pd.DataFrame({"n": range(100, 200)}))
    assert text.startswith("The first 40 of 100 rows.")
    assert "| 139 |" in text
    assert "| 140 |" not in text


def test_tables_group_thousands_and_leave_gaps_empty(hook: Callable[[str], ModuleType]) -> None:
    frame = pd.DataFrame({"a|b": ["x|y", None], "n": [20_000, 3], "score": [0.12345, float("nan")]})
    assert hook("markdown_table").table(frame, {"score": 2}).splitlines() == [
        "| a\\|b | n | score |",
        "|---|---:|---:|",
        "| x\\|y | 20,000 | 0.12 |",
        "|  | 3 |  |",
    ]


def test_the_figure_of_harm_says_what_its_bars_show(hook: Callable[[str], ModuleType]) -> None:
    verdicts = {"plain": ["level"] * 4, "smote": ["worse", "worse", "worse", "better"], "<ros>": ["level"] * 4}
    rows = [
        {"against": "plain", "arm": arm, "metric": "auc", "setting": f"table {place}", "verdict": verdict}
        for arm, some in verdicts.items()
        for place, verdict in enumerate(some)
    ]
    drawing = hook("harm_figure").draw(pd.DataFrame(rows))
    assert re.findall("<title>(.*?)</title>", drawing) == [
        "smote: worse on 75% of the tables",
        "smote: better on 25% of the tables",
    ]
    worse, better = (float(width) for width in re.findall(r'<rect .*? width="([\d.]+)"', drawing))
    assert worse == pytest.approx(3 * better)
    assert "&lt;ros&gt;" in drawing
    assert ">plain</text>" not in drawing


@pytest.mark.parametrize("name", ["formulas", "markdown_table"])
def test_examples_in_the_hooks_hold(name: str, hook: Callable[[str], ModuleType]) -> None:
    outcome = doctest.testmod(hook(name))
    assert outcome.attempted
    assert not outcome.failed


@pytest.mark.parametrize(
    ("tex", "mathml"),
    [
        ("n_g", "<msub><mi>n</mi><mi>g</mi></msub>"),
        ("b N^{-c}", "<mi>b</mi><msup><mi>N</mi><mrow><mo>−</mo><mi>c</mi></mrow></msup>"),
        (r"\frac{1}{2}", "<mfrac><mn>1</mn><mn>2</mn></mfrac>"),
        (
            r"\hat{R}_{\mathrm{aug}}",
            '<msub><mi>\U0001d445\u0302</mi><mi mathvariant="normal">aug</mi></msub>',
        ),
        (r"-\log p", '<mo>−</mo><mi>log</mi><mspace width="0.17em"/><mi>p</mi>'),
        (r"n_{\max}", "<msub><mi>n</mi><mi>max</mi></msub>"),
        (r"0.5 < a", "<mn>0.5</mn><mo>&lt;</mo><mi>a</mi>"),
    ],
)
def test_formulas_become_mathml(tex: str, mathml: str, hook: Callable[[str], ModuleType]) -> None:
    assert hook("formulas").to_mathml(tex) == f"<math>{mathml}</math>"
    assert hook("formulas").to_mathml(tex, block=True) == f'<math display="block">{mathml}</math>'


def test_limits_of_a_sum_stand_below_and_above_it_where_there_is_room(hook: Callable[[str], ModuleType]) -> None:
    below_and_above = "<mo>∑</mo><mi>g</mi><mi>G</mi>"
    to_mathml = hook("formulas").to_mathml
    assert (
        to_mathml(r"\sum_g^G", block=True) == f'<math display="block"><munderover>{below_and_above}</munderover></math>'
    )
    assert to_mathml(r"\sum_g^G") == f"<math><msubsup>{below_and_above}</msubsup></math>"


@pytest.mark.parametrize("tex", [r"\hat{ab}", r"\unknown", "{a", "a_", r"\left( a", r"\text a", "a}"])
def test_a_formula_that_is_not_understood_stops_the_build(tex: str, hook: Callable[[str], ModuleType]) -> None:
    formulas = hook("formulas")
    with pytest.raises(formulas.FormulaError):
        formulas.to_mathml(tex)


@pytest.mark.parametrize(
    ("link", "place"),
    [
        ("[a](../benchmarks/leakage.csv)", "[a](benchmarks/leakage.csv)"),
        ("[a](../README.md#install)", "[a](index.md#install)"),
        ("[a](gate.md)", "[a](gate.md)"),
        ("[a](https://arxiv.org/abs/2406.03628)", "[a](https://arxiv.org/abs/2406.03628)"),
        ("```\n[a](../README.md)\n```", "```\n[a](../README.md)\n```"),
        ("[a](../no/such/file.py)", "[a](../no/such/file.py)"),
    ],
)
def test_links_out_of_the_folder_lead_to_where_the_file_is_on_the_site(
    link: str, place: str, hook: Callable[[str], ModuleType]
) -> None:
    assert hook("outside_links").rewritten(link, source=ROOT / "docs" / "page.md", page="page.md") == place


def test_links_of_a_page_from_elsewhere_start_from_its_own_folder(hook: Callable[[str], ModuleType]) -> None:
    rewritten = hook("outside_links").rewritten
    assert rewritten("[a](docs/gate.md#x)", source=ROOT / "README.md", page="deep/page.md") == "[a](../gate.md#x)"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as found:
        yield found


LOOKED_AT = ("index.html", "concepts.html", "when-not.html", "reference/functions.html", "benchmarks/do_no_harm.html")


@needs_browser
@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("page", LOOKED_AT)
def test_a_page_is_quiet_fits_its_window_and_asks_for_its_own_files_alone(
    page: str, width: int, site: Path, browser: Browser
) -> None:
    with browser.visit(site / page, width=width) as visit:
        assert visit.console == []
        assert visit.width == width
        assert all(address.startswith(site.as_uri()) for address in visit.requests)


@needs_browser
def test_the_site_can_be_searched_without_a_server(site: Path, browser: Browser) -> None:
    with browser.visit(site / "index.html", width=1400) as visit:
        visit.evaluate(
            """(() => {
                const box = document.querySelector('#__search');
                box.checked = true;
                box.dispatchEvent(new Event('change'));
                const query = document.querySelector('[data-md-component=search-query]');
                query.value = 'oversampling';
                query.dispatchEvent(new Event('input', { bubbles: true }));
                query.dispatchEvent(new Event('keyup', { bubbles: true }));
            })()"""
        )
        found = visit.evaluate(
            """new Promise(done => {
                const look = left => {
                    const text = document.querySelector('.md-search-result__meta').innerText;
                    if (/matching/.test(text) || !left) done(text);
                    else setTimeout(look, 100, left - 1);
                };
                look(100);
            })"""
        )
        assert re.search(r"\d+ matching documents", found)
        assert visit.console == []


@needs_browser
def test_formulas_are_drawn(site: Path, browser: Browser) -> None:
    with browser.visit(site / "concepts.html") as visit:
        heights = visit.evaluate(
            "[...document.querySelectorAll('math')].map(each => each.getBoundingClientRect().height)"
        )
        assert min(heights) > 5
