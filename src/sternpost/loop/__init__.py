"""The crossings between capabilities, one file each; a capability never imports another."""
