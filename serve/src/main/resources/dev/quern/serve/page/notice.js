// The line above the message: what went wrong or was done, and what to do.

const notice = document.getElementById('notice');

/**
 * @param {Object<string, () => void>} actions by their labels
 */
export function tell(what, remedy = '', actions = {}) {
  const strong = document.createElement('strong');
  strong.textContent = what;
  const line = document.createElement('p');
  line.append(strong, remedy ? ' ' + remedy : '');
  const buttons = Object.entries({ ...actions, Dismiss: () => notice.parentElement.querySelector('textarea').focus() }).map(([label, act]) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'quiet';
    button.textContent = label;
    button.addEventListener('click', () => {
      quiet();
      act();
    });
    return button;
  });
  notice.replaceChildren(line, ...buttons);
  notice.hidden = false;
}

/** Nothing is to be said any more. */
export function quiet() {
  notice.hidden = true;
  notice.replaceChildren();
}
