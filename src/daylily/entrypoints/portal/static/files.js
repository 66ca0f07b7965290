// Uploads on the page of files: any number at once, each with its progress; a page without this sends one.
const byId = (id) => document.getElementById(id);
const { Uploads, dropping } = await import(byId("uploads-js").href);
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
dropping(drop, take);
window.addEventListener("beforeunload", (event) => { if (uploads.arriving.length) event.preventDefault(); });
