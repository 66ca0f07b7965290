// Uploads on the page of files: any number at once, each with its progress; a page without this sends one.
const byId = (id) => document.getElementById(id);
const { Uploads } = await import(byId("uploads-js").href);
const drop = byId("drop");
const { customer, folder, csrf } = drop.dataset;

const uploads = new Uploads({
  customer,
  csrf,
  list: byId("uploads"),
  // What is there now is shown once all of it is; what did not come through stays to be gone on with.
  changed: () => {
    if (!uploads.arriving.length && !uploads.failed.length && [...uploads.all.values()].every((each) => each.state === "done")) location.reload();
  },
});

function take(files) {
  for (const file of files) uploads.add(file, folder + file.name);
}

byId("choose").hidden = false;
byId("drop-hint").hidden = false;
byId("upload-button").remove();
const input = byId("file");
input.multiple = true;
input.classList.add("unseen");
input.addEventListener("change", () => {
  take([...input.files]);
  input.value = "";
});
for (const name of ["dragenter", "dragover"]) {
  document.addEventListener(name, (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    drop.classList.add("over");
  });
}
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) drop.classList.remove("over"); });
document.addEventListener("drop", (event) => {
  drop.classList.remove("over");
  if (!event.dataTransfer.files.length) return;
  event.preventDefault();
  take([...event.dataTransfer.files]);
});
window.addEventListener("beforeunload", (event) => { if (uploads.arriving.length) event.preventDefault(); });
