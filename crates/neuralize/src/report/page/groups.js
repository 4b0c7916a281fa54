// Groups of features: while they are shown, the features of a group share a row, which opens into them.

const groups = report.groups ?? [];
const grouping = { shown: groups.length > 0, open: new Set() };

/** What has a row of its own: single features, and groups while they are shown, in the order of the features. */
function units() {
  const groupOf = new Map(
    grouping.shown ? groups.flatMap((group, at) => group.features.map((feature) => [feature, at])) : [],
  );
  const seen = new Set();
  return everyFeature.flatMap((feature) => {
    const group = groupOf.get(feature) ?? null;
    if (group === null) return [{ name: features[feature], feature, group, features: [feature] }];
    if (seen.has(group)) return [];
    seen.add(group);
    return [{ name: groups[group].name, feature: null, group, features: groups[group].features }];
  });
}

/** The sum of the amounts of the features of a unit: relevance is additive. */
const amountOf = (unit, amounts) => d3.sum(unit.features, (feature) => amounts[feature]);

const bySize = (rows, amounts) =>
  d3.sort(rows, (a, b) => d3.descending(Math.abs(amountOf(a, amounts)), Math.abs(amountOf(b, amounts))));

const strongestUnits = (amounts) => bySize(units(), amounts);

/** The rows of a group that is open: its features. */
const insideOf = (unit) =>
  unit.features.map((feature) => ({ name: features[feature], feature, group: null, inside: unit.group, features: [feature] }));

const isOpen = (unit) => unit.group !== null && grouping.open.has(unit.group);

/** The units, every open group followed by its features. */
const unfolded = (rows, amounts) =>
  rows.flatMap((unit) => (isOpen(unit) ? [unit, ...bySize(insideOf(unit), amounts)] : [unit]));

function toggleGroup(group) {
  if (!grouping.open.delete(group)) grouping.open.add(group);
  changed.call("groups");
}

/** The switch between groups and single features. */
function prepareGroups() {
  d3.select("#grouping").attr("hidden", groups.length === 0 ? "" : null);
  const switches = d3.selectAll("#grouping input");
  const show = () =>
    switches.property("checked", function () {
      return (this.value === "groups") === grouping.shown;
    });
  switches.on("change", (event) => {
    grouping.shown = event.target.value === "groups";
    changed.call("groups");
  });
  show();
}
