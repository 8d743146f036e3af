package io.apiserverupdater.bootstrap.boot;

/**
 * What is ours in the hosts file: the entry that was written last. Its address is the {@link
 * BootState#target}.
 *
 * @param name the host name
 * @param adopted whether entries of somebody else that it took the place of stand in the file as
 *     comments
 */
public record OwnEntry(String name, boolean adopted) {}
