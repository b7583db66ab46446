// The translation unit whose only purpose is the precompiled ATen/ATen.h.
