-- Once a cluster, as a superuser. On a new cluster everybody may use every role; from here on only what is granted.
revoke assumerole on all from public for all;
