// The values and relevances of the open point as a table.

/** The table is filled while it is closed: on opening, its event would come after the empty table was visible. */
function showNumbers() {
  const box = d3.select("#numbers");
  const explanation = explanationOf(state.point, state.versus);
  const { relevance, parts } = explanation;
  const format = formatFor(limitOf(explanation), "+");
  const shown = shownRows(relevance).map((unit) => ({
    name: unit.name,
    inside: unit.inside,
    value: unit.feature === null ? count(unit.features.length, "feature") : pointValueText(unit.feature, explanation),
    relevance: amountOf(unit, relevance),
  }));
  const absorbed = parts.map(({ name, value }) => ({ name, value: "", relevance: value }));
  box
    .select("thead")
    .selectAll("tr")
    .data([["Feature", "Value", "Relevance"]])
    .join("tr")
    .selectAll("th")
    .data((titles) => titles)
    .join("th")
    .attr("scope", "col")
    .attr("class", (_, at) => (at > 0 ? "amount" : null))
    .text(String);
  const rows = box.select("tbody").selectAll("tr").data([...shown, ...absorbed]).join("tr");
  rows.selectAll("*").remove();
  rows
    .append("th")
    .attr("scope", "row")
    .classed("inside", ({ inside }) => inside !== undefined)
    .call(writeName, ({ name }) => name, 200);
  rows
    .append("td")
    .attr("class", "amount")
    .call(writeName, ({ value }) => value, 60);
  rows
    .append("td")
    .attr("class", "amount")
    .text((row) => format(row.relevance));
}
