package dev.dibs.browser;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Response;
import com.microsoft.playwright.options.ColorScheme;
import com.microsoft.playwright.options.WaitUntilState;
import dev.dibs.console.testing.TestConsole;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A tab in which everything that a browser complains of is kept: errors of scripts, what the
 * content policy refused, dialogs, and requests to other hosts. Closing it looks whether there was
 * any.
 */
final class Tab implements AutoCloseable {
  static final int PATIENCE = 20_000;

  private final BrowserContext context;
  private final Page page;
  private final String url;
  private final List<String> complaints = new ArrayList<>();

  Tab(BrowserContext context, String url) {
    this.context = context;
    this.url = url;
    context.setDefaultTimeout(PATIENCE);
    page = context.newPage();
    page.onPageError(error -> complaints.add("error: " + error));
    page.onConsoleMessage(message -> {
      // That an answer was 404 or 409 is what some tests are about.
      if (message.type().equals("error") && !message.text().startsWith("Failed to load resource"))
        complaints.add("console: " + message.text());
    });
    page.onDialog(dialog -> {
      complaints.add("dialog: " + dialog.message());
      dialog.dismiss();
    });
    page.onRequest(request -> {
      if (!request.url().startsWith(url + "/")) complaints.add("request to " + request.url());
    });
  }

  /** Goes to a page, and answers the status it came with. */
  int go(String path) {
    Response response =
        page.navigate(
            url + path, new Page.NavigateOptions().setWaitUntil(WaitUntilState.DOMCONTENTLOADED));
    return response.status();
  }

  Tab logIn(String name) {
    go("/login");
    page.getByLabel("Name").fill(name);
    page.getByLabel("Password").fill(TestConsole.PASSWORD);
    page.locator("main button").click();
    page.locator("nav").waitFor();
    return this;
  }

  /** Of the console. */
  String url() {
    return url;
  }

  Page page() {
    return page;
  }

  Locator find(String selector) {
    return page.locator(selector);
  }

  /** By a person's keys, one after the other. */
  void press(String... keys) {
    for (String key : keys) page.keyboard().press(key);
  }

  /** As if the system were set so. */
  void dim(ColorScheme scheme) {
    page.emulateMedia(new Page.EmulateMediaOptions().setColorScheme(scheme));
  }

  Object run(String script) {
    return page.evaluate(script);
  }

  void picture(Path directory, String name) {
    page.screenshot(
        new Page.ScreenshotOptions().setPath(directory.resolve(name + ".png")).setFullPage(true));
  }

  List<String> complaints() {
    return complaints;
  }

  @Override
  public void close() {
    context.close();
    assertThat(complaints).as("what the browser complains of").isEmpty();
  }
}
