"""Writes expected.json: seven small tables, fixed labels, scikit-learn's value of every index."""
import json,numpy as np,sklearn,math
from sklearn import metrics as M
from sklearn.mixture import GaussianMixture
from sklearn.mixture._gaussian_mixture import _estimate_gaussian_parameters,_compute_precision_cholesky
r=np.random.default_rng(20240501)
def q(a):return np.round(a,4)
sets=[]
C=np.array([[0,0],[6,0],[0,6]])
lab=np.repeat([0,1,2],[12,10,8]);X=q(C[lab]+r.standard_normal((30,2)));cls=lab.copy();cls[[0,5,13]]=[1,2,0]
sets.append(('three_blobs','3 Gaussian blobs, 12+10+8 rows, default_rng(20240501), rounded to 4 places; 3 classes changed',X,lab,cls))
X=q(r.standard_normal((14,3)));X[13]=[9,9,9];lab=np.array([0]*6+[1]*7+[2]);cls=np.array([0,0,1,1,2,2,0,0,1,1,2,2,0,1])
sets.append(('one_member','labels without meaning, negative silhouettes, cluster 2 has one member',X,lab,cls))
i=np.arange(60);X=np.c_[i%6,(i//6)%5].astype(float);lab=((i%6)//3+2*((i//6)%5>=2)).astype(int);cls=(i//15).astype(int)
sets.append(('grid_twice','integer grid 6 by 5, each row twice: row i = (i mod 6, floor(i/6) mod 5)',X,lab,cls))
X=np.array([[0.],[0.],[0.],[1.],[1.],[1.],[5.],[5.25],[5.5],[100.]]);lab=np.array([0,0,0,1,1,1,2,2,2,2]);cls=np.array([0,0,0,0,0,0,1,1,1,1])
sets.append(('one_column','one column; clusters 0 and 1 have spread 0 and identical rows (silhouette 1 there)',X,lab,cls))
k=np.arange(150);lab=(k%5).astype(int);X=q(np.c_[np.cos(1.3*lab)*4+np.sin(k*1.7),np.sin(1.3*lab)*4+np.cos(k*2.3),lab+np.sin(k*.9),np.cos(k*k*.37)*2]);cls=((k//2)%3).astype(int)
sets.append(('formula_five','l = k mod 5; (4 cos 1.3l + sin 1.7k, 4 sin 1.3l + cos 2.3k, l + sin 0.9k, 2 cos 0.37k^2), rounded to 4 places',X,lab,cls))
X=q(r.standard_normal((40,6))*np.array([1,1,1,10,.1,1])+1000);lab=(X[:,3]>1000).astype(int);lab=lab+2*(X[:,4]>1000.05);lab=np.unique(lab,return_inverse=True)[1];cls=np.zeros(40,int)
sets.append(('offset','Gaussian 40 by 6 about 1000 with unequal scales (cancellation test); one class only (homogeneity 1, ARI 0)',X,lab,cls))
X=np.array([[0.],[0.],[0.],[0.],[1.]]);sets.append(('same_point','clusters 0 and 1 are at the same point: a = b = 0 gives silhouette 0, centroid distance 0 counts as infinite in Davies-Bouldin, CH is 1 because the inertia is 0',X,np.array([0,0,1,1,2]),np.array([0,0,0,0,1])))
out=dict(made_with=dict(numpy=np.__version__,scikit_learn=sklearn.__version__),note='float64; numbers printed by repr (17 significant digits at most); RULE.md part 2 has the definitions. silhouette: scikit-learn with exact distances (metric precomputed, scipy cdist); *_of_scikit_learn*: with its faster distances |x|^2-2xy+|y|^2, which lose digits in the set offset',sets=[])
for name,how,X,lab,cls in sets:
    n,p=X.shape;K=lab.max()+1;cent=np.array([X[lab==c].mean(0) for c in range(K)])
    from scipy.spatial.distance import cdist
    s=M.silhouette_samples(cdist(X,X),lab,metric='precomputed');s0=M.silhouette_samples(X,lab);db=M.davies_bouldin_score(X,lab);sp=np.array([cdist(X[lab==c],cent[[c]]).mean() for c in range(K)]);dc=cdist(cent,cent);dc[dc==0]=np.inf;db1=((sp[:,None]+sp[None])/dc).max(1).mean();print(name,'sklearn minus exact: silhouette',abs(s-s0).max(),'db',db-db1);e=dict(inertia=float(((X-cent[lab])**2).sum()),
     silhouette=M.silhouette_score(cdist(X,X),lab,metric='precomputed'),silhouette_samples=s.tolist(),silhouette_of_clusters=[float(s[lab==c].mean()) for c in range(K)],
     calinski_harabasz=M.calinski_harabasz_score(X,lab),davies_bouldin=db1,davies_bouldin_of_scikit_learn=db,silhouette_of_scikit_learn_euclidean=M.silhouette_score(X,lab),
     adjusted_rand=M.adjusted_rand_score(cls,lab),rand=M.rand_score(cls,lab),homogeneity=M.homogeneity_score(cls,lab),completeness=M.completeness_score(cls,lab),v_measure=M.v_measure_score(cls,lab),
     mutual_info_nats=M.mutual_info_score(cls,lab),pair_confusion=M.pair_confusion_matrix(cls,lab).tolist(),contingency_classes_by_labels=M.cluster.contingency_matrix(cls,lab).tolist())
    rows=sorted(np.random.default_rng(5).choice(n,max(2,n//2),replace=False).tolist());m=len(rows);sv=s[rows]
    e['silhouette_sampled']=dict(rows=rows,estimate=float(sv.mean()),standard_error=float(sv.std(ddof=1)/math.sqrt(m)*math.sqrt(1-m/n)))
    li=math.log(e['inertia']) if e['inertia']>0 else 0.0;lw=[li+.1*math.sin(b+1) + .3 for b in range(10)];g=np.mean(lw)-li
    e['gap']=dict(log_w_of_references=lw,log_w=li,gap=float(g),s_k=float(np.std(lw)*math.sqrt(1+1/10)))
    gm={}
    if np.bincount(lab).min()>p:
        resp=np.eye(K)[lab]
        for ct in('full','tied','diag','spherical'):
            G=GaussianMixture(K,covariance_type=ct,reg_covar=1e-6);nk,mu,cov=_estimate_gaussian_parameters(X,resp,1e-6,ct)
            G.weights_=nk/n;G.means_=mu;G.covariances_=cov;G.precisions_cholesky_=_compute_precision_cholesky(cov,ct)
            gm[ct]=dict(parameters=int(G._n_parameters()),mean_log_likelihood=float(G.score(X)),bic=float(G.bic(X)),aic=float(G.aic(X)))
    e['mixture_after_one_m_step_reg_covar_1e-6']=gm
    e={k:(float(v) if isinstance(v,np.floating) else v) for k,v in e.items()}
    out['sets'].append(dict(name=name,how=how,n=n,p=p,k=int(K),rows=X.tolist(),labels=lab.tolist(),classes=cls.tolist(),expected=e))
json.dump(out,open('indices.json','w'),indent=None,separators=(',',':'))
for s in out['sets']:print(s['name'],{k:v for k,v in s['expected'].items() if isinstance(v,float)},s['expected']['mixture_after_one_m_step_reg_covar_1e-6'])
