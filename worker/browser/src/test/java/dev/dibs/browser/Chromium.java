package dev.dibs.browser;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.BrowserType.LaunchOptions;
import com.microsoft.playwright.Playwright;
import com.microsoft.playwright.options.ColorScheme;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** The browser that this machine has; none is downloaded. */
final class Chromium implements AutoCloseable {
  private final Playwright playwright =
      Playwright.create(
          new Playwright.CreateOptions().setEnv(Map.of("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")));
  private final Browser browser =
      playwright
          .chromium()
          .launch(
              new LaunchOptions()
                  .setExecutablePath(
                      Path.of(System.getProperty("dibs.chromium", "/usr/bin/chromium")))
                  .setArgs(List.of("--no-sandbox")));

  /** How somebody looks at pages. */
  enum Look {
    LIGHT(1280, ColorScheme.LIGHT),
    DARK(1280, ColorScheme.DARK),
    PHONE(360, ColorScheme.LIGHT),
    /** A wide screen at four times its size, too. */
    NARROW(320, ColorScheme.DARK);

    private final int width;
    private final ColorScheme scheme;

    Look(int width, ColorScheme scheme) {
      this.width = width;
      this.scheme = scheme;
    }
  }

  private static Browser.NewContextOptions options(Look look) {
    return new Browser.NewContextOptions()
        .setViewportSize(look.width, 800)
        .setColorScheme(look.scheme)
        .setHasTouch(look.width < 640)
        .setTimezoneId("Europe/Berlin")
        .setLocale("en-GB");
  }

  /** A tab of a browser profile of its own. */
  Tab open(String url, Look look) {
    return new Tab(browser.newContext(options(look)), url);
  }

  /** The same without scripts. */
  Tab openWithoutScript(String url) {
    BrowserContext context = browser.newContext(options(Look.LIGHT).setJavaScriptEnabled(false));
    return new Tab(context, url);
  }

  @Override
  public void close() {
    browser.close();
    playwright.close();
  }
}
