package dev.dibs.console;

import gg.jte.TemplateOutput;
import gg.jte.html.HtmlInterceptor;
import gg.jte.html.HtmlTemplateOutput;
import gg.jte.html.OwaspHtmlTemplateOutput;
import gg.jte.output.StringOutput;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where templates write: escapes by place, and shows what would hide or turn text as its code.
 * Owned by the thread that renders.
 */
final class SafeOutput implements HtmlTemplateOutput, HtmlInterceptor {
  /** Control, format and bidi characters; not tab and line feed. */
  private static final Pattern UNSEEN =
      Pattern.compile("[\\p{Cc}\\p{Cf}\\u2028\\u2029&&[^\\t\\n]]");

  private final StringOutput text = new StringOutput();
  private final HtmlTemplateOutput escaping = new OwaspHtmlTemplateOutput(text);

  private SafeOutput() {}

  /** What the template writes. */
  static String of(Consumer<SafeOutput> template) {
    var output = new SafeOutput();
    template.accept(output);
    return output.text.toString();
  }

  @Override
  public void setContext(String tagName, @Nullable String attributeName) {
    escaping.setContext(tagName, attributeName);
  }

  @Override
  public void writeContent(String value) {
    escaping.writeContent(value);
  }

  @Override
  public void writeContent(String value, int beginIndex, int endIndex) {
    escaping.writeContent(value, beginIndex, endIndex);
  }

  @Override
  public void writeBinaryContent(byte[] value) {
    escaping.writeBinaryContent(value);
  }

  @Override
  public void writeUserContent(@Nullable String value) {
    if (value != null) escaping.writeUserContent(visible(value));
  }

  /** Templates ask for one who looks at their tags; nothing is to be done with them. */
  @Override
  public void onHtmlTagOpened(
      String name, Map<String, Object> attributes, TemplateOutput templateOutput) {}

  @Override
  public void onHtmlTagClosed(String name, TemplateOutput templateOutput) {}

  static String visible(String value) {
    Matcher unseen = UNSEEN.matcher(value);
    return unseen.find()
        ? unseen.replaceAll(
            found -> String.format(java.util.Locale.ROOT, "[U+%04X]", found.group().codePointAt(0)))
        : value;
  }
}
