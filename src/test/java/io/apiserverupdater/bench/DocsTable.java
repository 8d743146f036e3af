package io.apiserverupdater.bench;

/** A table that a program writes into a page, between two comments that name it. */
public final class DocsTable {
  private DocsTable() {}

  /**
   * The page with this table in the place of the one that it has.
   *
   * @param name of the table, in the comments {@code <!-- NAME -->} and {@code <!-- /NAME -->}
   * @throws IllegalArgumentException if the page has no place for it
   */
  public static String into(String page, String name, String table) {
    String begin = "<!-- " + name + " -->\n";
    String end = "<!-- /" + name + " -->\n";
    int from = page.indexOf(begin) + begin.length();
    int to = page.indexOf(end);
    if (from < begin.length() || to < from) {
      throw new IllegalArgumentException(
          "expected the lines " + begin.strip() + " and " + end.strip() + " in the page");
    }
    return page.substring(0, from) + table + page.substring(to);
  }
}
