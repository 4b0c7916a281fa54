// The search for a point: by its row number, or by a part of its name.

/** Points that a search lists; the others are counted. */
const MANY_FOUND = 20;

/** Opens the point with the row number, else the one with the name, else lists those whose names match. */
function openFound(event) {
  event.preventDefault();
  clearFound();
  const text = document.getElementById("find").value.trim();
  const row = /^\d+$/.test(text) ? Number(text) : null;
  const point = row === null ? null : pointOfRow(row);
  if (point !== null) return visit(point);
  const found = pointsNamed(text);
  if (found.length === 1) visit(found[0]);
  else if (found.length > 1) listFound(text, found);
  else if (row !== null) sayUnknown(row);
  else d3.select("#find-message").text(notFoundWords(text));
}

/** The points whose names contain a text, whatever the case of the letters. */
function pointsNamed(text) {
  if (rowNames === null || text === "") return [];
  const wanted = text.toLowerCase();
  return everyPoint.filter((point) => rowNames[point].toLowerCase().includes(wanted));
}

function notFoundWords(text) {
  if (rowNames === null) return `Enter a row number: ${rowsWords()}.`;
  if (text === "") return `Enter a row number or a part of a name: ${rowsWords()}.`;
  return `No listed point has “${brief(text, 40)}” in its name: enter another part of a name or a row number.`;
}

function listFound(text, found) {
  const more = found.length > MANY_FOUND ? `; the first ${MANY_FOUND}` : "";
  d3.select("#find-message").text(`${count(found.length, "point")} with “${brief(text, 40)}” in the name${more}:`);
  const items = d3.select("#find-results").selectAll("li").data(found.slice(0, MANY_FOUND)).join("li");
  items
    .append("a")
    .attr("href", (point) => addressOf(point, null))
    .call(writeName, (point) => rowNames[point], 60);
  items.append("span").attr("class", "small").text((point) => ` row ${listed.row[point]}, cluster ${clusterTitle(listed.cluster[point], 30)}`);
}

function prepareFind() {
  if (rowNames !== null) {
    d3.select("#find-label").text("Row number (counted from 0) or name");
    d3.select("#find").attr("size", 22);
  } else {
    d3.select("#find").attr("inputmode", "numeric");
  }
  d3.select("#filter").on("submit", openFound);
}
