// The table of the page that makes YAML, and a button that copies the file.
const byId = (id) => document.getElementById(id);
const { SampleTable } = await import(byId("table-js").href);
const table = new SampleTable(byId("samples-table"), () => {});
byId("yaml-form").addEventListener("submit", () => table.keep());
const copy = byId("copy");
if (copy) {
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(byId("made").textContent);
      byId("copied").textContent = "Copied.";
    } catch {
      getSelection().selectAllChildren(byId("made"));
      byId("copied").textContent = "It is selected: press Ctrl+C to copy it.";
    }
  });
}
