package dev.socifleet.node.control;

/**
 * The body of {@code POST /v1/mounts}.
 *
 * @param image a reference: {@code registry/repository:tag}
 * @param platform {@code os/architecture[/variant]}; empty for the node's own
 */
public record MountRequest(String image, String platform) {}
