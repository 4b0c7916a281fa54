// The state of the page: the open point, the filter, and the order of the table. Other parts redraw when it changes.

const state = {
  point: null,
  versus: null,
  pair: null,
  filter: { cluster: null, misplaced: false, probability: 1 },
  order: { key: "row", descending: false },
  page: 0,
  allFeatures: false,
  allFound: false,
  allCards: false,
  allRows: false,
  openCards: new Set(),
  onPaper: false,
  passing: new Uint8Array(listed.count).fill(1),
  ordered: everyPoint,
};

/**
 * "selection": other points pass the filter, or in another order. "point": another point or question is open.
 * "pair": other clusters are compared. "groups": features are grouped in another way.
 */
const changed = d3.dispatch("selection", "point", "pair", "groups");

const pointColumns = [
  { key: "row", title: "Row", amount: true, value: (point) => listed.row[point] },
  ...(rowNames === null ? [] : [{ key: "name", title: "Name", kind: "name", value: (point) => rowNames[point] }]),
  { key: "cluster", title: "Cluster", amount: true, value: (point) => listed.cluster[point] },
  ...(classes === null
    ? []
    : [
        {
          key: "class",
          title: "Class",
          // Long names of classes get the room that names of rows get.
          kind: classes.some((name) => name.length > 12) ? "name" : undefined,
          value: (point) => listed.class[point],
          text: (point) => className(listed.class[point]) + (isMisplaced(point) ? " ≠" : ""),
        },
      ]),
  {
    // Sorted by the logit, which grows with the probability and still tells points apart where that rounds to 1.
    key: "probability",
    title: "Probability",
    amount: true,
    value: (point) => listed.logit[point],
    text: (point) => formatProbability(listed.probability[point], ">"),
  },
  {
    key: "logit",
    title: "Logit",
    amount: true,
    value: (point) => listed.logit[point],
    text: (point) => formatLogit()(listed.logit[point]),
  },
  {
    key: "competitor",
    title: "Nearest competitor",
    amount: true,
    value: (point) => listed.competitor[point],
    text: (point) => clusterTitle(listed.competitor[point]),
  },
  {
    key: "strongest",
    title: "Strongest features",
    kind: "features",
    value: (point) => Math.abs(listed.strongest_relevance[point * strongestCount]),
    text: strongestWords,
  },
];

function passes(point) {
  const { cluster, misplaced, probability } = state.filter;
  return (
    (cluster === null || listed.cluster[point] === cluster) &&
    (!misplaced || isMisplaced(point)) &&
    (probability >= 1 || listed.probability[point] <= probability)
  );
}

function select() {
  for (const point of everyPoint) state.passing[point] = passes(point);
  const { value } = pointColumns.find((column) => column.key === state.order.key);
  const compare = state.order.descending ? d3.descending : d3.ascending;
  const keys = everyPoint.map(value);
  state.ordered = everyPoint
    .filter((point) => state.passing[point])
    .sort((a, b) => compare(keys[a], keys[b]) || a - b);
  state.page = 0;
  changed.call("selection");
}

function orderBy(key, descending) {
  state.order = { key, descending };
  select();
}

function filterBy(change) {
  Object.assign(state.filter, change);
  select();
}
