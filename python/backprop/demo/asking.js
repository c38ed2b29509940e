// Questions to the server, and whether it answers.

const PATIENCE = 10000; // milliseconds for an answer, which takes a few
const PAUSE = 2000; // milliseconds between two looks whether the server is there

// Nobody answers, or somebody who is not the demo, as a tunnel whose other end is gone.
export class NoAnswerError extends Error {}

// The JSON at a path; throws what the page is to say.
export async function asked(path, options = {}) {
  let [response, content] = [null, null];
  try {
    response = await fetch(path, { ...options, signal: AbortSignal.timeout(PATIENCE) });
    content = await response.json();
  } catch {
    throw new NoAnswerError("The demo does not answer; is it still running?");
  }
  if (!response.ok) throw new Error(`The demo refused the drawing: ${content.error}`);
  return content;
}

// Asks for the model now and, while the page is looked at, again and again: `found` gets it, `failed` the error.
export async function watch(found, failed) {
  if (!document.hidden) {
    await asked("model").then(found).catch(failed);
  }
  setTimeout(() => watch(found, failed), PAUSE);
}
