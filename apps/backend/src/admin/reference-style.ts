/** Of the reference page: one column on a phone, the index beside it on a desk, and dark where that is wanted. */
export const STYLE = `
:root { color-scheme: light dark; --text: #1c2024; --faint: #5c6570; --line: #dfe3e8; --tint: #f4f6f8; --link: #0b57d0; --page: #fff }
@media (prefers-color-scheme: dark) {
  :root { --text: #e4e7eb; --faint: #9aa4b0; --line: #333a42; --tint: #1d2228; --link: #8ab4f8; --page: #14171a }
}
* { box-sizing: border-box }
html { scroll-padding-top: 1rem }
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--page) }
main { max-width: 56rem; margin: 0 auto; padding: 1.5rem 1rem 4rem }
a { color: var(--link); text-decoration: none } a:hover { text-decoration: underline }
code { font: .9em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere }
pre { background: var(--tint); border: 1px solid var(--line); border-radius: 6px; padding: .75rem; overflow-x: auto; margin: .4rem 0 }
pre code { overflow-wrap: normal }
p { margin: .25rem 0 } ul { list-style: none; margin: 0; padding: 0 }
h1 { font-size: 1.6rem; margin: 0 0 .75rem } h1 small, .role { color: var(--faint); font-weight: normal }
h2 { font-size: 1.3rem; margin: 2.5rem 0 .5rem; text-transform: capitalize }
h3 { font-size: 1rem; margin: 0 0 .4rem } h3 code { font-size: 1rem }
h4 { font-size: .8rem; margin: 1rem 0 .25rem; color: var(--faint) }
article { border-top: 1px solid var(--line); padding: 1.1rem 0 1.4rem }
article:target { border-top: 2px solid var(--link) }
b[class] { display: inline-block; font: 600 .72rem/1.5 system-ui, sans-serif; text-transform: uppercase; padding: 0 .4rem; border-radius: 4px; color: #fff }
.get { background: #1a6b3c } .post { background: #0b57d0 } .patch { background: #8a5a00 } .delete { background: #b3261e }
.fields > li, .answers > li { display: grid; grid-template-columns: 11rem 1fr; gap: 0 1rem; padding: .35rem 0; border-top: 1px solid var(--line); align-items: baseline }
.fields .fields { margin-top: .35rem; border-left: 2px solid var(--line); padding-left: .75rem }
.fields p { color: var(--faint) } .fields em { font: inherit; font-weight: 600 }
.answers > li { grid-template-columns: 3rem 1fr } .answers p { margin: 0 }
summary { cursor: pointer; color: var(--faint); padding: .35rem 0; border-top: 1px solid var(--line) }
nav { padding: 1rem; border-bottom: 1px solid var(--line) }
nav > ul { display: flex; flex-wrap: wrap; gap: .25rem 1rem } nav ul ul { display: none }
nav > ul > li > a { text-transform: capitalize }
@media (min-width: 64rem) {
  body { display: grid; grid-template-columns: 22rem 1fr }
  nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; border-bottom: 0; border-right: 1px solid var(--line); font-size: .85rem }
  nav > ul { display: block } nav > ul > li { margin-bottom: .75rem } nav > ul > li > a { font-weight: 600 }
  nav ul ul { display: block } nav ul ul a { display: grid; grid-template-columns: 3.4rem 1fr; gap: .4rem; padding: .12rem 0; color: inherit }
  nav b[class] { text-align: center; align-self: start; padding: 0; font-size: .65rem }
}
@media (max-width: 40rem) { .fields > li { grid-template-columns: 1fr } }`;
