// The table of the listed points, and headers that sort.

const ROWS_ON_A_PAGE = 50;

/** Headers with a button that sorts by their column; aria-sort tells the order. */
function showHeaders(table, columns, order, onSort) {
  const headers = d3
    .select(table)
    .select("thead tr")
    .selectAll("th")
    .data(columns)
    .join((enter) => {
      const added = enter.append("th").attr("scope", "col");
      added.append("button").attr("type", "button");
      return added;
    });
  headers
    .classed("amount", (column) => column.amount === true)
    .attr("aria-sort", ({ key }) =>
      key !== order.key ? "none" : order.descending ? "descending" : "ascending",
    );
  headers
    .select("button")
    .text((column) => column.title)
    .on("click", (_, column) => {
      const again = column.key === order.key;
      onSort(column.key, again ? !order.descending : column.descendingFirst === true);
    });
}

function showTable() {
  showHeaders("#point-table", pointColumns, state.order, orderBy);
  const from = state.page * ROWS_ON_A_PAGE;
  const page = state.ordered.slice(from, from + ROWS_ON_A_PAGE);
  const rows = d3
    .select("#point-table tbody")
    .selectAll("tr")
    .data(page)
    .join("tr")
    .attr("data-row", (point) => listed.row[point]);
  rows
    .selectAll("td")
    .data((point) => pointColumns.map((column) => ({ column, point })))
    .join("td")
    .attr("class", ({ column }) => column.kind ?? (column.amount ? "amount" : null))
    .each(function (cell) {
      showCell(d3.select(this), cell);
    });
  showPages(from, page.length);
  markOpenRow();
}

function showCell(cell, { column, point }) {
  cell.selectAll("*").remove();
  if (column.key === "row") {
    cell.text("").append("a").attr("href", addressOf(point, null)).text(listed.row[point]);
  } else if (column.key === "cluster") {
    cell.text("");
    swatch(cell, clusterMark(listed.cluster[point]));
    writeName(cell.append("span"), () => ` ${clusterName(listed.cluster[point])}`, 60);
  } else if (column.key === "name") {
    writeName(cell, () => rowNames[point], 60);
  } else {
    cell.text(column.text ? column.text(point) : column.value(point));
  }
}

function showPages(from, length) {
  const all = state.ordered.length;
  const last = Math.max(0, Math.ceil(all / ROWS_ON_A_PAGE) - 1);
  d3.select("#pages").attr("hidden", last === 0 ? "" : null);
  d3.select("#page-position").text(`rows ${whole(from + 1)} to ${whole(from + length)} of ${whole(all)}`);
  d3.select("#page-back").attr("aria-disabled", state.page === 0);
  d3.select("#page-on").attr("aria-disabled", state.page === last);
  const marked = oneToOne === null ? "" : " ≠ marks a class other than the one matched to the cluster.";
  d3.select("#table-count").text(
    all === 0 ? "No point passes the filter." : `The filter keeps ${count(all, "point")}; rows ${whole(from + 1)} to ${whole(from + length)} of them are below.${marked}`,
  );
}

function turnPage(by) {
  const page = state.page + by;
  if (page < 0 || page * ROWS_ON_A_PAGE >= state.ordered.length) return;
  state.page = page;
  showTable();
}

function markOpenRow() {
  d3.selectAll("#point-table tbody tr").attr("aria-current", (point) =>
    point === state.point ? "true" : null,
  );
}

changed.on("selection.table", showTable).on("point.table", markOpenRow);

function prepareTable() {
  d3.select("#point-table tbody").on("click", (event) => {
    const row = event.target.closest("tr");
    // A link opens its point by itself, and a click that ends a selection of text opens none.
    if (event.target.closest("a") || !getSelection().isCollapsed) return;
    visit(d3.select(row).datum());
  });
  d3.select("#page-back").on("click", () => turnPage(-1));
  d3.select("#page-on").on("click", () => turnPage(1));
  d3.select("#download").on("click", download);
}
