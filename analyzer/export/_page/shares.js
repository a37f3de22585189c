// Shares of groups, as they were when the page was written: a line from 0 to 100 % for each.

function sharesCharts(charts) {
  if (!charts.length) return [h("p", {}, "No face has a label.")];
  const lines = ({ rows }) => h("ul", { class: "shares" }, ...rows.map(shareLine));
  const folded = (chart) => h("details", { open: chart.main }, h("summary", {}, chart.title), lines(chart));
  const key = (name, text) => h("span", {}, h("i", { class: name }), text);
  return [
    h("p", { class: "facts key", "aria-hidden": "true" }, key("observed", "observed"),
      charts.some((chart) => chart.corrected) ? key("corrected", "corrected for what the network confuses") : null,
      key("span", "95 % interval")),
    ...charts.map(folded),
    h("p", { class: "facts" }, "Corrections made here change these figures once they are applied."),
  ];
}

function shareLine({ text, observed, corrected, low, high }) {
  const mark = (name, from, to = null) => {
    if (from === null) return null;
    const drawn = h("i", { class: name });
    drawn.style.left = `${100 * from}%`;
    if (to !== null) drawn.style.width = `${100 * (to - from)}%`;
    return drawn;
  };
  return h("li", {}, h("span", {}, text), h("span", { class: "scale", "aria-hidden": "true" },
    mark("span", low, high), mark("observed", observed), mark("corrected", corrected)));
}
