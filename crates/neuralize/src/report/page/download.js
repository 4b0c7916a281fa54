// The CSV file with the relevances of the points that pass the filter.

/** A text for a cell: an apostrophe keeps a spreadsheet from taking it for a formula. Numbers are as they are. */
function guarded(text) {
  const isNumber = text.trim() !== "" && Number.isFinite(Number(text)) && !/^[\t\r]/.test(text);
  return /^[=+\-@\t\r]/.test(text) && !isNumber ? `'${text}` : text;
}

function csvOf(points) {
  const withClass = classes !== null;
  const withName = rowNames !== null;
  const facts = [
    "index",
    ...(withName ? ["name"] : []),
    "cluster",
    "logit",
    "probability",
    ...(withClass ? ["class"] : []),
  ];
  const header = [...facts, ...[...features, ...report.absorbed].map(guarded)];
  const empty = new Array(features.length + report.absorbed.length).fill("");
  const records = points.map((point) => [
    listed.row[point],
    ...(withName ? [guarded(rowNames[point])] : []),
    guarded(clusterName(listed.cluster[point])),
    listed.logit[point],
    Number(listed.probability[point].toPrecision(9)),
    ...(withClass ? [listed.class[point] < 0 ? "" : guarded(classes[listed.class[point]])] : []),
    ...(listed.detail[point] < 0
      ? empty
      : [
          ...rowOf(details.relevance, listed.detail[point]),
          ...partsOf(details.absorbed, listed.detail[point]).map(({ value }) => value),
        ]),
  ]);
  return d3.csvFormatRows([header, ...records]);
}

function download() {
  const address = URL.createObjectURL(new Blob([csvOf(state.ordered), "\n"], { type: "text/csv" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = `${report.title.replace(/\.[^.]*$/, "").replace(/[^\p{L}\p{N}]+/gu, "-")}-relevances.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}
