// A link to an event that works for whoever may look in here.
export async function copyLink({ say }, event) {
  const link = new URL(`#/event/${event.id}`, location.href).href;
  try {
    await navigator.clipboard.writeText(link);
    say('Link copied');
  } catch {
    say(`The browser does not let this page copy. The link is ${link}`);
  }
}
