package dev.dibs.containers;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.command.InspectContainerResponse.ContainerState;
import com.github.dockerjava.api.model.ContainerNetwork;
import java.time.Duration;
import org.testcontainers.DockerClientFactory;

/** The container engine, and what it can do to a container besides starting it. */
final class Engine {
  private Engine() {}

  /** Fails where there is none: a suite that is asked for is not skipped. */
  static void require() {
    if (!DockerClientFactory.instance().isDockerAvailable())
      throw new IllegalStateException(
          "NO CONTAINER ENGINE ANSWERS, nothing was tested; start one, or run worker/containers/prepare as root");
  }

  static DockerClient client() {
    return DockerClientFactory.lazyClient();
  }

  /** SIGKILL. */
  static void kill(String id) {
    client().killContainerCmd(id).exec();
  }

  static void start(String id) {
    client().startContainerCmd(id).exec();
  }

  /** SIGTERM, and SIGKILL if that did not end it in time; answers the exit code. */
  static long stop(String id, Duration patience) {
    client().stopContainerCmd(id).withTimeout(Math.toIntExact(patience.toSeconds())).exec();
    Long code = state(id).getExitCodeLong();
    if (code == null) throw new IllegalStateException("container %s still runs".formatted(id));
    return code;
  }

  /** All its processes stand still. */
  static void pause(String id) {
    client().pauseContainerCmd(id).exec();
  }

  static void unpause(String id) {
    client().unpauseContainerCmd(id).exec();
  }

  static void disconnect(String id, String network) {
    client()
        .disconnectFromNetworkCmd()
        .withContainerId(id)
        .withNetworkId(network)
        .withForce(true)
        .exec();
  }

  static void connect(String id, String network, String alias) {
    client()
        .connectToNetworkCmd()
        .withContainerId(id)
        .withNetworkId(network)
        .withContainerNetwork(new ContainerNetwork().withAliases(alias))
        .exec();
  }

  static ContainerState state(String id) {
    return client().inspectContainerCmd(id).exec().getState();
  }
}
