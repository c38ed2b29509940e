# Private: the loops of activations; activations.pxd is public.
