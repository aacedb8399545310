from __future__ import annotations

import re
from dataclasses import replace

import pytest

from diagnostics.chart.markup import escaped
from diagnostics.messages import (
    summary,
)
from diagnostics.report.order import worst_first
from diagnostics.report.write import (
    as_html,
)
from tests.diagnostics.diagnosed_runs import EMPTY, HOSTILE, healthy, of_points, overfitted
from tests.diagnostics.outline import Outline

WELL = of_points("runs/well", train_loss=[(1, 2.0), (2, 1.0)])


def runs_of(page: str) -> list[tuple[str, str, str]]:
    """The runs of a page in order, as (tag, verdict, anchor)."""
    found = re.findall(r'<(section|details)(?: class="run")? id="(run-\d+)" data-verdict="(\w+)"', page)
    return [(tag, verdict, anchor) for tag, anchor, verdict in found]


def test_the_page_of_many_runs_links_to_each_from_a_table_in_the_same_order_the_worst_first():
    page = as_html([WELL, overfitted("runs/ill")], errors={"runs/gone": "no such file"})
    assert re.findall(r'<a href="#run-\d">([\w/]+)', page.replace("<wbr/>", "")) == ["runs/ill", "runs/well"]
    assert runs_of(page) == [("section", "overfit", "run-1"), ("details", str(WELL[1].label), "run-2")]
    assert "no such file" in page


def test_the_surest_of_a_label_comes_first_and_others_keep_their_order():
    run, found = overfitted()
    doubtful = replace(found, confidence=0.5)
    pairs = [(run, one) for one in (healthy(run), doubtful, found, EMPTY[1], replace(doubtful, cause="other"))]
    assert worst_first(pairs) == [pairs[k] for k in (2, 1, 4, 0, 3)]


@pytest.mark.parametrize(("runs", "folded"), [(1, 0), (2, 0), (10, 0), (11, 11)])
def test_the_details_of_more_than_ten_runs_are_folded(runs, folded):
    page = as_html([overfitted(f"runs/{k}") for k in range(runs)])
    assert [tag for tag, _, _ in runs_of(page)].count("details") == folded
    assert ('href="#top"' in page) == (runs > 1)


def test_a_healthy_run_among_others_is_folded_and_alone_it_is_not():
    run, _ = overfitted()
    well = (run, healthy(run))
    assert [(tag, verdict) for tag, verdict, _ in runs_of(as_html([well, overfitted()]))] == [
        ("section", "overfit"),
        ("details", "healthy"),
    ]
    assert runs_of(as_html([well]))[0][0] == "section"


def test_a_filter_for_each_verdict_hides_the_rows_and_runs_of_others():
    run, _ = overfitted()
    page = as_html([overfitted(), (run, healthy(run)), overfitted("b")], errors={"gone": "no such file"})
    assert re.findall(r'id="show-(\w+)"', page) == ["all", "overfit", "healthy"]
    hidden = re.findall(r"#show-(\w+):checked\) \[data-verdict\]:not\(\[data-verdict=(\w+)\]\)", page)
    assert hidden == [("overfit", "overfit"), ("healthy", "healthy")]
    rows = re.findall(r'<tr data-verdict="(\w+)">', page)
    assert rows == ["overfit", "overfit", "healthy", "unread"]
    assert "show-" not in as_html([overfitted("a"), overfitted("b")])


def test_the_file_of_the_next_run_stands_with_its_own_run_and_only_there():
    well, ill = WELL, overfitted("runs/ill")
    page = as_html([well, ill], next_runs=["", "learning_rate: 1e-4\n"])
    assert page.count('class="copyable"') == 1
    assert page.index('id="run-1"') < page.index("learning_rate: 1e-4</code>") < page.index('id="run-2"')
    assert 'class="copyable"' not in as_html([well, ill])
    hostile = as_html([ill], next_runs=[HOSTILE])
    assert Outline(hostile).tags.count("script") == 1


def test_a_page_says_what_a_link_to_it_shows():
    run, found = overfitted()
    meta = dict(re.findall(r'<meta property="og:(\w+)" content="([^"]*)"', as_html([(run, found)], image="card.png")))
    assert meta == {"title": "runs/a · diagnosis", "description": escaped(summary(found)), "image": "card.png"}
    assert "og:image" not in as_html([(run, found)])
