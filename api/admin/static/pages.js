// Times in the viewer's own zone. Without this script they stay as the server wrote them, in UTC.
"use strict";

const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    if (!Number.isNaN(moment.getTime())) {
      time.title = time.textContent;
      time.textContent = format.format(moment);
    }
  }
}

// A request that the user did not ask for does not extend the session.
async function fetchUnattended(address, accept) {
  const answer = await fetch(address, { headers: { Accept: accept, "X-Unattended": "1" } });
  if (answer.redirected || answer.status === 404) { location.reload(); }
  return answer;
}

async function renewPage() {
  const answer = await fetchUnattended(location.href, "text/html");
  if (answer.redirected || !answer.ok) { return; }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const main = page.querySelector("main");
  document.querySelector("main").replaceWith(main);
  // A screen reader begins to read the outcome there.
  main.focus({ preventScroll: true });
  begin();
}

// A running import: ask how far it is, and show the whole page again when it has ended.
function followProgress(box) {
  const bar = box.querySelector("progress");
  const status = box.querySelector("[data-status]");
  const ask = async () => {
    if (!box.isConnected) { return; }
    try {
      const answer = await fetchUnattended(box.dataset.progress, "application/json");
      if (answer.redirected || answer.status === 404) { return; }
      const job = await answer.json();
      if (job.is_final) { await renewPage(); }
      if (job.percent === null) { bar.removeAttribute("value"); } else { bar.value = job.percent; }
      if (status.textContent !== job.status) { status.textContent = job.status; }
    } catch { /* The network is away for a moment; the next attempt shows. */ }
    setTimeout(ask, 1000);
  };
  setTimeout(ask, 500);
}

// A file: dropped or chosen, sent with a bar that shows how much of it is sent.
function uploadWithProgress(form) {
  const drop = form.querySelector("[data-drop]");
  const input = form.querySelector("input[type=file]");
  // Anywhere on the page: a browser opens a file that is dropped outside a field.
  for (const name of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", name === "dragover");
      if (name === "drop" && event.dataTransfer.files.length) { input.files = event.dataTransfer.files; }
    });
  }
  const problem = form.querySelector("[data-problem]");
  // What was wrong with the last file says nothing about the next one.
  input.addEventListener("change", () => { problem.hidden = true; });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const sending = form.querySelector("[data-sending]");
    const button = form.querySelector("button.primary");
    const stopped = (text) => {
      problem.textContent = text;
      problem.hidden = false;
      sending.hidden = true;
      button.disabled = false;
      input.focus();
    };
    const request = new XMLHttpRequest();
    request.upload.onprogress = (progress) => {
      const percent = progress.total ? Math.round((100 * progress.loaded) / progress.total) : 0;
      sending.querySelector("progress").value = percent;
      sending.querySelector("[data-status]").textContent =
        percent < 100 ? `Sending: ${percent} %` : "Sent. Waiting for the answer …";
    };
    request.onload = () => {
      if (request.responseURL && request.responseURL.split("?")[0] !== location.href.split("?")[0]) {
        location.assign(request.responseURL);
        return;
      }
      const page = new DOMParser().parseFromString(request.responseText, "text/html");
      const found = page.querySelector("main .error:not([hidden]), main .notice");
      stopped(found ? found.textContent : "The file was not accepted. Try again.");
    };
    request.onerror = () => stopped("The connection broke off. Nothing was imported. Upload the file again.");
    problem.hidden = true;
    sending.hidden = false;
    button.disabled = true;
    request.open("POST", location.href);
    request.send(new FormData(form));
  });
}

function begin() {
  localTimes(document);
  document.querySelectorAll("[data-progress]").forEach(followProgress);
  document.querySelectorAll("form[data-upload]").forEach(uploadWithProgress);
}

document.addEventListener("DOMContentLoaded", begin);
