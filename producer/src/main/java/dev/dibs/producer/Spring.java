package dev.dibs.producer;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.InaccessibleObjectException;
import java.lang.reflect.Method;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;

/**
 * What Spring knows of the transaction of this thread. It is asked by name, so that nobody has to
 * have Spring. Thread-safe.
 */
final class Spring {
  private static final String TRANSACTIONS =
      "org.springframework.transaction.support.TransactionSynchronizationManager";
  private static final String HOLDER = "org.springframework.jdbc.datasource.ConnectionHolder";

  private final Class<?> holder;
  private final MethodHandle isActive;
  private final MethodHandle resources;
  private final MethodHandle held;
  private final MethodHandle isSynchronized;
  private final MethodHandle isBegun;

  private Spring(ClassLoader loader) throws ReflectiveOperationException {
    MethodHandles.Lookup lookup = MethodHandles.publicLookup();
    MethodType question = MethodType.methodType(boolean.class);
    Class<?> transactions = Class.forName(TRANSACTIONS, false, loader);
    this.holder = Class.forName(HOLDER, false, loader);
    this.isActive = lookup.findStatic(transactions, "isActualTransactionActive", question);
    this.resources =
        lookup.findStatic(transactions, "getResourceMap", MethodType.methodType(Map.class));
    this.held =
        ofAny(lookup.findVirtual(holder, "getConnection", MethodType.methodType(Connection.class)));
    this.isSynchronized =
        ofAny(lookup.findVirtual(holder, "isSynchronizedWithTransaction", question));
    Method begun = holder.getDeclaredMethod("isTransactionActive");
    begun.setAccessible(true); // it is protected
    this.isBegun = ofAny(lookup.unreflect(begun));
  }

  private static MethodHandle ofAny(MethodHandle method) {
    return method.asType(method.type().changeParameterType(0, Object.class));
  }

  /** Spring with its JDBC part, where our class loader or the thread's finds it. */
  static Optional<Spring> find() {
    Optional<Spring> ours = find(Spring.class.getClassLoader());
    return ours.isPresent() ? ours : find(Thread.currentThread().getContextClassLoader());
  }

  private static Optional<Spring> find(@Nullable ClassLoader loader) {
    if (loader == null) return Optional.empty();
    try {
      return Optional.of(new Spring(loader));
    } catch (ReflectiveOperationException | InaccessibleObjectException | LinkageError e) {
      return Optional.empty();
    }
  }

  /** Whether this thread is in a transaction of Spring's, on whatever it may be. */
  boolean isInTransaction() {
    try {
      return (boolean) isActive.invokeExact();
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** Whether {@code connection} leads to the session of a transaction that Spring will end. */
  boolean holds(Connection connection) throws SQLException {
    if (!connection.isWrapperFor(PGConnection.class)) return false;
    PGConnection session = connection.unwrap(PGConnection.class);
    for (Object resource : resources().values()) {
      if (holder.isInstance(resource) && willBeEnded(resource) && leadsTo(session, resource))
        return true;
    }
    return false;
  }

  private Map<?, ?> resources() {
    try {
      return (Map<?, ?>) resources.invokeExact();
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /**
   * False for a connection that is only kept until the transaction on something else has ended:
   * nobody commits that. One that another technology lent Spring, such as JPA, is not synchronised.
   */
  private boolean willBeEnded(Object resource) {
    try {
      return (boolean) isBegun.invokeExact(resource)
          || !(boolean) isSynchronized.invokeExact(resource);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** What cannot be seen, such as the connection of another database, is another session. */
  private boolean leadsTo(PGConnection session, Object resource) {
    try {
      Connection other = (Connection) held.invokeExact(resource);
      return other.isWrapperFor(PGConnection.class)
          && session.equals(other.unwrap(PGConnection.class));
    } catch (SQLException | IllegalStateException e) {
      return false;
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  private static RuntimeException unexpected(Throwable e) {
    if (e instanceof Error error) throw error;
    return e instanceof RuntimeException known ? known : new IllegalStateException(e);
  }
}
