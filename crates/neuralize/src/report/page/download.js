// The CSV file with the relevances of the points that pass the filter.

function csvOf(points) {
  const withClass = classes !== null;
  const facts = ["index", "cluster", "logit", "probability", ...(withClass ? ["class"] : [])];
  const header = [...facts, ...features, ...report.absorbed];
  const empty = new Array(features.length + report.absorbed.length).fill("");
  const records = points.map((point) => [
    listed.row[point],
    clusterName(listed.cluster[point]),
    listed.logit[point],
    Number(listed.probability[point].toPrecision(9)),
    ...(withClass ? [listed.class[point] < 0 ? "" : classes[listed.class[point]]] : []),
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
