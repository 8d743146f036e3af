package io.apiserverupdater.apiserver.flags;

/**
 * A value as it was given for a flag.
 *
 * @param origin where, as a person finds it: {@code --port}, or {@code FILE:LINE: PORT}
 */
public record Setting(String origin, String text) {}
