package dev.dibs.containers;

import com.github.dockerjava.api.model.Capability;
import com.github.dockerjava.api.model.HostConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.Network;
import org.testcontainers.containers.startupcheck.OneShotStartupCheckStrategy;
import org.testcontainers.containers.wait.strategy.Wait;

/**
 * One container of dibs, with no more rights than it needs: no capability, a root file system that
 * cannot be written, 384 MiB.
 */
final class Dibs extends GenericContainer<Dibs> {
  private static final long MEMORY = 384L << 20;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final String name;

  private Dibs(String image, String name, Network network) {
    super(image);
    this.name = name;
    withNetwork(network);
    withNetworkAliases(name);
    withEnv("DIBS_DATABASE_URL", Server.URL);
    withEnv("DIBS_DATABASE_USER", Server.USER);
    withEnv("DIBS_DATABASE_PASSWORD", Server.PASSWORD);
    withCreateContainerCmdModifier(
        command -> command.withHostName(name).withHostConfig(confined(command.getHostConfig())));
  }

  private static HostConfig confined(@Nullable HostConfig config) {
    return (config == null ? new HostConfig() : config)
        .withReadonlyRootfs(true)
        .withTmpFs(Map.of("/tmp", ""))
        .withCapDrop(Capability.ALL)
        .withSecurityOpts(List.of("no-new-privileges"))
        .withMemory(MEMORY);
  }

  /** A worker, known on the network by its name. Once started, it takes tasks. */
  static Dibs worker(String image, String name, Network network, String... command) {
    return new Dibs(image, name, network)
        .withCommand(command)
        .waitingFor(Wait.forSuccessfulCommand("health ready").withStartupTimeout(PATIENCE));
  }

  /** A command that ends by itself. */
  static Dibs once(Network network, String... command) {
    return new Dibs(Images.DIBS, "once", network)
        .withCommand(command)
        .withStartupCheckStrategy(new OneShotStartupCheckStrategy().withTimeout(PATIENCE));
  }

  String name() {
    return name;
  }

  /** Whether its own health check says so: live, ready or started. */
  boolean is(String health) {
    return inside("health", health).getExitCode() == 0;
  }

  /** What another container answers to this one over the network. */
  String asks(String other, String path) {
    String request = "printf 'GET %s HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3".formatted(path);
    return inside("bash", "-c", "exec 3<>/dev/tcp/%s/9400 && %s".formatted(other, request))
        .getStdout();
  }

  /** Runs a command in the container. */
  ExecResult inside(String... command) {
    try {
      return execInContainer(command);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }
}
