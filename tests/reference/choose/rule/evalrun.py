"""Runs the rule on every kind of data, with the seeds FROM..TO: evalrun.py OUT.pkl FROM TO. sumup.py reads fin1.pkl and fin2.pkl."""
import sys,pickle,time,zlib,numpy as np,os
import rule;from kinds import *
out,lo,hi=sys.argv[1],int(sys.argv[2]),int(sys.argv[3]);res={};t=time.time()
order=sorted(KIND,key=lambda k:3*('n1000' in k)+2*('n5000' in k)+2*(k=='digits')+(KIND[k][1]=='no' and 'new' not in k))
for k in order:
    f,truth,_=KIND[k]
    for s in range(lo,hi):
        d=f(np.random.default_rng([s,zlib.crc32(k.encode())]));X,g=d if isinstance(d,tuple) else (d,())
        t0=time.process_time();r=rule.choose(X,groups=g,seed=s+1);r['secs']=time.process_time()-t0;res[k,s]=r
    pickle.dump(res,open(out+'~','wb'));os.replace(out+'~',out)
print('done',time.time()-t)
