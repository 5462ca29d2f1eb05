package dev.socifleet.node.layers;

/**
 * Owner and permissions of a layer's root directory.
 *
 * @param mode the permission bits with set-id and sticky bits, 07777; no file type
 */
public record RootAttributes(int mode, int uid, int gid) {}
