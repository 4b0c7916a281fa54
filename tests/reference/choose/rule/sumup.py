"""Error rates by kind of data, from fin1.pkl (seeds 20 to 29) and fin2.pkl (30 to 39), which evalrun.py writes."""
import pickle,collections,sys,numpy as np
from kinds import KIND
R={};FILES=('fin1.pkl','fin2.pkl')
for f in FILES:R.update(pickle.load(open(f,'rb')))
def group(k):
    if k.startswith('new:'):return 'new null' if KIND[k][1]=='no' else 'new'
    t=KIND[k][1]
    if t=='no':return 'null'
    if k.startswith('blobs'):
        return 'overlap (sep4)' if 'sep4' in k else ' '.join(w for w in k.split() if not(w[0] in 'Kd' and w[1:].isdigit()))
    return 'real'
def decide(r,fam=('box','copula'),val=.7,ari=.8,gain=.05,size=True,B=8,tol=.02):
    ok_=[]
    n=None;best=None
    for d in r['table']:
        if d['passed']==0 and size:continue
        if d['stability']<ari or d['valley']>val:continue
        w=max(np.mean(d['ref'][q][:B]) for q in fam) if fam else 0;g=(d['silhouette']-w)/(1-w)
        if fam and (g<gain or d['silhouette']<=max(max(d['ref'][q][:B]) for q in fam)):continue
        ok_.append((g,d['k']))
    if not ok_:return None
    m=max(ok_)[0];return max(k for g,k in ok_ if g>=m-tol)
def rates(fn):
    by=collections.defaultdict(list)
    for (k,s),r in R.items():
        c=fn(r);by[k].append('no' if c is None else c)
    return by
def ok(k,c):
    t=KIND[k][1];t=t if isinstance(t,tuple) else (t,);return c in t or t==(None,)
if __name__=='__main__':
    print(len(R),len(KIND)*20)
    import ab3
    final=lambda r:ab3.dec(r,veto=.02)
    by=rates(final);G=collections.defaultdict(lambda:[0,0,0])
    for k,a in by.items():
        g=group(k);G[g][1]+=len(a);G[g][0]+=sum(not ok(k,c) for c in a);G[g][2]+=sum(c=='no' for c in a)
    for g,v in G.items():print(f'{g:45s} wrong {v[0]:4d} / {v[1]:5d}  (of all, "no clear number" {v[2]})')
    print('--- kinds with errors')
    for k,a in sorted(by.items(),key=lambda z:-sum(not ok(z[0],c) for c in z[1])):
        e=sum(not ok(k,c) for c in a)
        if e:print(f'{k:60s} {e}/{len(a)}',dict(collections.Counter(map(str,a)).most_common()))
    print('--- no claim, real');
    for k,a in by.items():
        if KIND[k][1] is None or group(k) in('real','new','new null'):print(k,dict(collections.Counter(map(str,a)).most_common()))
    print('--- other rules: null wrong, clusters wrong')
    def both(fn):
        b=rates(fn);z=[0,0,0,0]
        for k,a in b.items():
            if KIND[k][1] is None:continue
            i=0 if KIND[k][1]=='no' else 2;z[i]+=sum(not ok(k,c) for c in a);z[i+1]+=len(a)
        return '%.2f%% of %d, %.2f%% of %d'%(100*z[0]/max(1,z[1]),z[1],100*z[2]/max(1,z[3]),z[3])
    print('rule with rival',both(final))
    for name,kw in dict(rule={},no_references=dict(fam=()),only_box=dict(fam=('box',)),only_copula=dict(fam=('copula',)),no_valley=dict(val=99),valley1=dict(val=1),valley6=dict(val=.6),no_stab=dict(ari=-1),ari6=dict(ari=.6),ari9=dict(ari=.9),gain0=dict(gain=0),gain1=dict(gain=.1),refs3=dict(B=3),refs5=dict(B=5),tol0=dict(tol=0),tol5=dict(tol=.05),no_size=dict(size=False)).items():print(name,both(lambda r:decide(r,**kw)))
    print('best silhouette alone',both(lambda r:max(r['table'],key=lambda d:d['silhouette'])['k'] if r['table'] else None))
    def gap(r):
        t=r['table']
        for a,b in zip(t,t[1:]):
            if a['gap']>=b['gap']-b['s']:return a['k']
        return t[-1]['k'] if t else None
    print('gap rule from K=2',both(gap))
    s=collections.defaultdict(list)
    for (k,_),r in R.items():
        for q in('n60','n250','n1000','n5000'):
            if k.endswith(q):s[q].append(r['secs'])
    print({q:round(float(np.mean(v)),2) for q,v in s.items()},'digits',np.mean([r['secs'] for (k,_),r in R.items() if k=='digits']) if ('digits',0) in R else '')
