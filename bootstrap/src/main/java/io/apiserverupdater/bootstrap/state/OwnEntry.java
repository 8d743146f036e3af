package io.apiserverupdater.bootstrap.state;

/**
 * What is ours in the hosts file: the entry that was written last. Its address is the {@link
 * BootState#target}.
 *
 * @param name the host name
 * @param adopted how many lines of somebody else, whose place it took, are to stand in the file as
 *     comments
 */
public record OwnEntry(String name, int adopted) {}
