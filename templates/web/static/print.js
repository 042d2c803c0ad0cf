// Links to #print open the browser's print dialog, and so does the page itself when it is opened at #print (from the
// mail). A file of its own, because a strict content security policy lets no script run inside a page.
"use strict";

addEventListener("click", (event) => {
  const link = event.target instanceof Element && event.target.closest('a[href="#print"]');
  if (link) {
    event.preventDefault();
    print();
  }
});

if (location.hash === "#print") {
  addEventListener("load", () => print());
}
