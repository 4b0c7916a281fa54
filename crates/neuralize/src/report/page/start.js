// Draws the page and then follows its address.

prepareGroups();
prepareFound();
showTrust();
prepareFilter();
prepareFind();
preparePoint();
prepareTable();
drawMap();
showLegend();
prepareMap();
prepareVersus();
showClusters();
showClasses();
showChoice();
follow("stay");
keepDrawn(map.host, resizeMap);
select();
prepareOverview();
fitFound();
window.addEventListener("resize", fitFound);
prepareFeatures();
prepareScroll();
window.addEventListener("hashchange", () => {
  if (location.hash !== followed) follow("panel");
});
d3.select(document).on("click", (event) => {
  // A link to the open point does not change the address, but still leads to its panel.
  if (event.target.closest("a")?.hash === location.hash && state.point !== null) follow("panel");
});
