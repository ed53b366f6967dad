package dev.dibs.sql;

/**
 * The settings under which the hot statements are planned, so that their plans cannot flip.
 *
 * <p>A table that was never analysed, or that looks empty because its rows come and go, makes the
 * planner believe that reading all of it is cheap, and a plan once cached is kept while the table
 * grows. Every hot statement finds its rows by an index, so the other ways are switched off; and
 * since the plan is always the same it is made once.
 */
public final class Plans {
  /** For a connection that runs nothing but statements of this package. */
  public static final String FIXED =
      "set enable_seqscan = off; set enable_bitmapscan = off; set enable_mergejoin = off; set jit = off;"
          + " set plan_cache_mode = force_generic_plan";

  /** For one statement at the end of somebody else's transaction; sent along with it. */
  static final String BY_INDEX = "set local jit = off; set local enable_seqscan = off; ";

  private Plans() {}
}
