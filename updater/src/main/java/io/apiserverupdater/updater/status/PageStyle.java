package io.apiserverupdater.updater.status;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;

/** How the page looks, and the policy that allows this style and nothing else. */
final class PageStyle {
  /** Text and signs differ enough from their background to be read: WCAG 2.2, 1.4.3. */
  static final String CSS =
      """
      :root { color-scheme: light dark; --bg: #f4f5f7; --card: #fff; --text: #1b1f24; --dim: #57606a;
        --line: #d8dee4; --ok: #116329; --ok-bg: #dafbe1; --bad: #a40e26; --bad-bg: #ffebe9;
        --warn: #7d4e00; --warn-bg: #fff8c5; --link: #0550ae; }
      @media (prefers-color-scheme: dark) { :root { --bg: #0d1117; --card: #161b22; --text: #e6edf3;
        --dim: #9da7b3; --line: #30363d; --ok: #56d364; --ok-bg: #12261e; --bad: #ff9492;
        --bad-bg: #34191c; --warn: #e3b341; --warn-bg: #2b2413; --link: #79c0ff; } }
      * { box-sizing: border-box; }
      body { margin: 0; background: var(--bg); color: var(--text);
        font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
      .page { max-width: 76rem; margin: 0 auto; padding: 1.5rem 1rem; }
      header { display: flex; flex-wrap: wrap; gap: 0 1rem; align-items: baseline;
        margin-bottom: 1rem; }
      h1 { font-size: 1.375rem; margin: 0; }
      h2 { font-size: 1rem; margin: 0; padding: .75rem 1rem; }
      .none { padding: 0 1rem .75rem; color: var(--dim); }
      p { margin: 0; }
      a { color: var(--link); }
      .dim { color: var(--dim); }
      code, .code { font: .875em/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
        overflow-wrap: anywhere; }
      .verdict, section { border: 1px solid var(--line); border-radius: .625rem;
        margin-bottom: 1rem; background: var(--card); overflow-x: auto; }
      .verdict { padding: 1rem 1rem 1rem 1.375rem; }
      .verdict p { font-size: 1.25rem; font-weight: 650; }
      .verdict ul { margin: .5rem 0 0; padding-left: 1.25rem; color: var(--text);
        overflow-wrap: anywhere; }
      .verdict.ok { background: var(--ok-bg); color: var(--ok);
        box-shadow: inset .375rem 0 var(--ok); }
      .verdict.bad { background: var(--bad-bg); color: var(--bad);
        box-shadow: inset .375rem 0 var(--bad); }
      .tiles { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr));
        gap: 1rem; margin: 0 0 1rem; }
      .tiles div { background: var(--card); border: 1px solid var(--line);
        border-radius: .625rem; padding: .75rem 1rem; }
      dt { font-size: .8125rem; color: var(--dim); }
      dd { margin: 0; font-size: 1.125rem; font-weight: 600; overflow-wrap: anywhere; }
      dd small { display: block; font-size: .8125rem; font-weight: 400; color: var(--dim); }
      table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
      th, td { text-align: left; vertical-align: top; padding: .5rem .75rem;
        border-top: 1px solid var(--line); }
      th:first-child, td:first-child { padding-left: 1rem; }
      th { font-size: .8125rem; font-weight: 600; color: var(--dim); white-space: nowrap; }
      td { overflow-wrap: anywhere; }
      td.short, td.main { white-space: nowrap; }
      td.long { min-width: 10rem; }
      .pill { display: inline-block; padding: 0 .5rem; border-radius: 1rem; font-size: .875rem;
        font-weight: 600; white-space: nowrap; }
      .pill.ok { color: var(--ok); background: var(--ok-bg); }
      .pill.bad { color: var(--bad); background: var(--bad-bg); }
      .pill.warn { color: var(--warn); background: var(--warn-bg); }
      .pill.none { color: var(--dim); padding: 0; }
      td.main .code { font-weight: 600; }
      footer { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; font-size: .875rem; }
      @media (max-width: 60rem) {
        .page { padding: 1rem .75rem; }
        .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: .5rem; }
        .tiles div { padding: .625rem .75rem; }
        dd { font-size: 1rem; }
        table, tbody, tr, td { display: block; }
        thead { position: absolute; width: 1px; height: 1px; overflow: hidden;
          clip-path: inset(50%); }
        tr { border-top: 1px solid var(--line); padding: .625rem 1rem; }
        td, td:first-child, td.long { border: 0; min-width: 0; padding: .125rem 0; display: grid;
          grid-template-columns: 6.5rem minmax(0, 1fr); gap: .5rem; align-items: baseline;
          justify-items: start; }
        td.main, td.main:first-child { display: block; white-space: normal; }
        td.main::before { display: none; }
        td::before { content: attr(data-label); font-size: .8125rem; color: var(--dim); }
        td.short { white-space: normal; }
        td.empty { display: none; }
      }
      """;

  /** No script, and nothing from elsewhere; the icon is in the page. */
  static final String CONTENT_SECURITY_POLICY =
      "default-src 'none'; style-src 'sha256-"
          + hash()
          + "'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

  private PageStyle() {}

  private static String hash() {
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(CSS.getBytes(StandardCharsets.UTF_8));
      return Base64.getEncoder().encodeToString(hash);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java runtime has SHA-256", e);
    }
  }
}
