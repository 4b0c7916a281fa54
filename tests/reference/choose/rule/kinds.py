"""Kinds of data with a known number of clusters, or with none."""
import numpy as np
from sklearn import datasets
def std(X):return (X-X.mean(0))/np.where(X.std(0)>0,X.std(0),1)
def blobs(rng,K,d,n,sep,unequal=False,spread=False,cov=None,t=None):
    sg=np.ones(K) if not spread else np.linspace(1,3,K)
    box=sep*max(1.0,K**(1/min(d,3)))*0.55
    while True:
        C=rng.uniform(-box,box,(K,d)) if d<=3 else rng.standard_normal((K,d))*box/np.sqrt(d)*1.1
        D=np.sqrt(((C[:,None]-C[None])**2).sum(-1))/((sg[:,None]+sg[None])/2);np.fill_diagonal(D,9e9)
        if D.min()>=sep:break
        box*=1.02
    w=np.linspace(1,10,K) if unequal else np.ones(K)
    N=np.maximum(3,np.round(n*w/w.sum()).astype(int));rng.shuffle(sg)
    if spread:
        while True:
            D=np.sqrt(((C[:,None]-C[None])**2).sum(-1))/((sg[:,None]+sg[None])/2);np.fill_diagonal(D,9e9)
            if D.min()>=sep:break
            C*=1.05
    E=lambda m:rng.standard_normal((m,d)) if t is None else rng.standard_t(t,(m,d))
    return np.vstack([C[k]+sg[k]*E(N[k]) for k in range(K)])
def corr(rng,n,d,strong=False):
    A=rng.standard_normal((d,d));Q,_=np.linalg.qr(A);s=np.geomspace(1,10 if not strong else 50,d);return rng.standard_normal((n,d))*s@Q
KIND={}
def add(name,f,truth,seeds=20):KIND[name]=(f,truth,seeds)
NO='no'
for d in(1,2,5,13,30):
    for n in(60,250):
        add(f'gauss d{d} n{n}',lambda r,d=d,n=n:r.standard_normal((n,d)),NO)
        add(f'uniform d{d} n{n}',lambda r,d=d,n=n:r.uniform(size=(n,d)),NO)
        if d>1:add(f'corr gauss d{d} n{n}',lambda r,d=d,n=n:corr(r,n,d),NO)
        add(f'lognormal1 d{d} n{n}',lambda r,d=d,n=n:np.exp(r.standard_normal((n,d))),NO)
    if d>1:add(f'lognormal.5 d{d} n250',lambda r,d=d:np.exp(.5*r.standard_normal((250,d))),NO)
    add(f't3 indep d{d} n250',lambda r,d=d:r.standard_t(3,(250,d)),NO)
    if d>1:
        add(f't3 multiv d{d} n250',lambda r,d=d:r.standard_normal((250,d))/np.sqrt(r.chisquare(3,(250,1))/3),NO)
        add(f't5 multiv d{d} n250',lambda r,d=d:r.standard_normal((250,d))/np.sqrt(r.chisquare(5,(250,1))/5),NO)
        add(f'lognormal corr d{d} n250',lambda r,d=d:np.exp(std(corr(r,250,d))),NO)
        add(f'exp rotated d{d} n250',lambda r,d=d:r.exponential(size=(250,d))@np.linalg.qr(r.standard_normal((d,d)))[0]*1.,NO)
        add(f'lognormal rotated d{d} n250',lambda r,d=d:np.exp(.7*r.standard_normal((250,d)))@r.standard_normal((d,d)),NO)
for d in(2,5,13):
    add(f'gauss d{d} n1000',lambda r,d=d:r.standard_normal((1000,d)),NO)
    add(f'corr gauss d{d} n1000',lambda r,d=d:corr(r,1000,d),NO)
    add(f'uniform d{d} n1000',lambda r,d=d:r.uniform(size=(1000,d)),NO)
    add(f'lognormal1 d{d} n1000',lambda r,d=d:np.exp(r.standard_normal((1000,d))),NO)
    add(f'gauss+5 far outliers d{d} n250',lambda r,d=d:np.vstack([r.standard_normal((245,d)),15*r.standard_normal((5,d))]),NO)
    add(f'likert5 one factor d{d} n250',lambda r,d=d:np.clip(np.round(r.standard_normal((250,1))+.8*r.standard_normal((250,d))),-2,2),NO)
    add(f'rounded gauss d{d} n250',lambda r,d=d:np.round(2*r.standard_normal((250,d))),NO)
    add(f'poisson1 d{d} n250',lambda r,d=d:r.poisson(1,(250,d))*1.,NO)
    add(f'binary indep d{d+2} n250',lambda r,d=d:(r.uniform(size=(250,d+2))<.5)*1.,NO)
    add(f'gauss rows x5 d{d} n300',lambda r,d=d:np.repeat(r.standard_normal((60,d)),5,0),NO)
    add(f'gauss + binary column d{d} n250',lambda r,d=d:np.c_[r.standard_normal((250,d)),2*(r.uniform(size=(250,1))<.5)],NO)
    add(f'gauss n20 d{d}',lambda r,d=d:r.standard_normal((20,d)),NO)
add('disc n250',lambda r:(lambda a,b:np.c_[np.sqrt(a)*np.cos(b),np.sqrt(a)*np.sin(b)])(r.uniform(size=250),r.uniform(0,6.2832,250)),NO)
add('triangle n250',lambda r:r.dirichlet([1,1,1],250)[:,:2],NO)
add('square rotated n250',lambda r:r.uniform(size=(250,2))@np.array([[.8,.6],[-.6,.8]]),NO)
add('uniform grid ints 1..10 n250',lambda r:r.integers(1,11,(250,2))*1.,NO)
for K in(2,3,5,8):
    for d in(2,5,13,30):
        add(f'blobs sep6 K{K} d{d} n250',lambda r,K=K,d=d:blobs(r,K,d,250,6),K)
        add(f'blobs sep8 K{K} d{d} n250',lambda r,K=K,d=d:blobs(r,K,d,250,8),K)
        if d<30:add(f'blobs sep4 K{K} d{d} n250',lambda r,K=K,d=d:blobs(r,K,d,250,4),(K,NO))
    for d in (2,5):
        add(f'blobs sep8 1:10 K{K} d{d} n400',lambda r,K=K,d=d:blobs(r,K,d,400,8,True),K)
        add(f'blobs sep8 spread 1:3 K{K} d{d} n250',lambda r,K=K,d=d:blobs(r,K,d,250,8,False,True),K)
        add(f'blobs sep6 K{K} d{d} n1000',lambda r,K=K,d=d:blobs(r,K,d,1000,6),K)
        add(f'blobs sep8 + 5 outliers K{K} d{d} n250',lambda r,K=K,d=d:(lambda X:np.vstack([X,X.mean(0)+2.5*X.std(0)*r.standard_normal((5,d))]))(blobs(r,K,d,245,8)),K)
        add(f'blobs sep10 rounded K{K} d{d} n250',lambda r,K=K,d=d:np.round(blobs(r,K,d,250,10)),K)
        add(f'blobs sep10 t5 K{K} d{d} n250',lambda r,K=K,d=d:blobs(r,K,d,250,10,t=5),K)
    if K<4:
        for d in(2,5,13):add(f'blobs sep8 K{K} d{d} n60',lambda r,K=K,d=d:blobs(r,K,d,60,8),K)
        add(f'blobs sep8 K{K} d3 n24',lambda r,K=K:blobs(r,K,3,24,8),K)
        add(f'blobs sep8 1:10 K{K} d3 n60',lambda r,K=K:blobs(r,K,3,60,8,True),K)
    add(f'blobs sep8 K{K} d1 n250',lambda r,K=K:blobs(r,K,1,250,8),K)
    add(f'blobs sep8 K{K} d4 + 4 noise columns std n250',lambda r,K=K:(lambda B:std(np.c_[B,r.standard_normal((len(B),4))]))(blobs(r,K,4,250,8)),K)
    add(f'blobs sep8 K{K} d4 rows x5 n300',lambda r,K=K:np.repeat(blobs(r,K,4,60 if K<5 else 80,8),5,0),K)
I=datasets.load_iris().data;Wi=datasets.load_wine().data;Di=datasets.load_digits().data;BC=datasets.load_breast_cancer().data
import pandas as pd
Pe=pd.read_csv(__import__('os').path.join(__import__('os').path.dirname(__import__('os').path.abspath(__file__)),'..','penguins.csv'))[['bill_length_mm','bill_depth_mm','flipper_length_mm','body_mass_g']].apply(pd.to_numeric,errors='coerce').dropna().values
add('iris',lambda r:I,(2,3));add('iris std',lambda r:std(I),(2,3));add('wine std',lambda r:std(Wi),3)
add('penguins std',lambda r:std(Pe),(2,3));add('digits',lambda r:Di,(8,9,10,NO),20);add('breast cancer std',lambda r:std(BC),(2,3,NO))
add('two moons',lambda r:datasets.make_moons(300,noise=.05,random_state=int(r.integers(1e9)))[0],None)
add('rings',lambda r:datasets.make_circles(300,noise=.05,factor=.4,random_state=int(r.integers(1e9)))[0],None)
for n in(5000,):
    add('gauss d5 n5000',lambda r:r.standard_normal((5000,5)),NO,20);add('uniform d2 n5000',lambda r:r.uniform(size=(5000,2)),NO,20);add('corr gauss d13 n5000',lambda r:corr(r,5000,13),NO,20)
    add('blobs sep6 K8 d5 n5000',lambda r:blobs(r,8,5,5000,6),8,20)
# ---- kinds never looked at while the rule was tuned (evaluation only)
X_=add
X_('new: contaminated gauss d5 n250',lambda r:r.standard_normal((250,5))*np.where(r.uniform(size=(250,1))<.1,4,1),NO)
X_('new: uniform ball d5 n250',lambda r:(lambda z:z/np.linalg.norm(z,axis=1)[:,None]*r.uniform(size=(250,1))**.2)(r.standard_normal((250,5))),NO)
X_('new: elongated 50:1 d2 n250',lambda r:corr(r,250,2,True),NO)
X_('new: elongated 50:1 d13 n250',lambda r:corr(r,250,13,True),NO)
X_('new: zero-inflated gamma d5 n250',lambda r:r.gamma(2,1,(250,5))*(r.uniform(size=(250,5))<.6),NO)
X_('new: laplace rotated d5 n250',lambda r:r.laplace(size=(250,5))@np.linalg.qr(r.standard_normal((5,5)))[0],NO)
X_('new: gamma2 + common factor d4 n250',lambda r:r.gamma(2,1,(250,4))+r.gamma(2,1,(250,1)),NO)
X_('new: lognormal1 std d5 n250',lambda r:std(np.exp(r.standard_normal((250,5)))),NO)
X_('new: banana d2 n250',lambda r:(lambda x:np.c_[x,.4*x*x+.5*r.standard_normal(250)])(1.5*r.standard_normal(250)),NO)
X_('new: sparse counts d20 n250',lambda r:r.poisson(.2,(250,20))*1.,NO)
X_('new: likert5 two factors d10 n250',lambda r:np.clip(np.round(np.repeat(r.standard_normal((250,2)),5,1)+.8*r.standard_normal((250,10))),-2,2),NO)
X_('new: gauss + 1 outlier at 100 n250',lambda r:np.vstack([r.standard_normal((249,3)),[[100,100,100]]]),NO)
X_('new: gauss d60 n100',lambda r:r.standard_normal((100,60)),NO)
X_('new: gauss d3 n40',lambda r:r.standard_normal((40,3)),NO)
X_('new: random walk d3 n250',lambda r:r.standard_normal((250,3)).cumsum(0),None)
def cat(r,n,L,lab=None,noise=1.):
    c=r.integers(L,size=n)
    if lab is not None:c=np.where(r.uniform(size=n)<noise,c,lab%L)
    return np.eye(L)[c]
X_('new: gauss d3 + category of 4, groups told n250',lambda r:(np.c_[r.standard_normal((250,3)),1.5*cat(r,250,4)],[[3,4,5,6]]),NO)
X_('new: gauss d3 + category of 4, groups not told n250',lambda r:np.c_[r.standard_normal((250,3)),1.5*cat(r,250,4)],NO)
X_('new: gauss d2 + strong category of 3, groups told n250',lambda r:(np.c_[r.standard_normal((250,2)),4*cat(r,250,3)],[[2,3,4]]),NO)
X_('new: gauss d2 + strong category of 3, groups not told n250',lambda r:np.c_[r.standard_normal((250,2)),4*cat(r,250,3)],None)
X_('new: 3 blobs sep8 d3 + unrelated category of 3, told n250',lambda r:(lambda B:(np.c_[B,1.5*cat(r,len(B),3)],[[3,4,5]]))(blobs(r,3,3,249,8)),3)
for K in(4,6):
    for d in(2,5,13):X_(f'new: blobs sep7 K{K} d{d} n300',lambda r,K=K,d=d:blobs(r,K,d,300,7),K)
    X_(f'new: blobs sep6 1:10 K{K} d5 n600',lambda r,K=K:blobs(r,K,5,600,6,True),K)
    X_(f'new: blobs sep3.5 K{K} d5 n250',lambda r,K=K:blobs(r,K,5,250,3.5),(K,NO))
X_('new: 3 elliptic blobs d4 n240',lambda r:blobs(r,3,4,240,10)@np.array(np.diag([1,1,1.5,.5])),3)
X_('new: 3 lognormal blobs d3 n240',lambda r:np.repeat(np.array([[0,0,0],[12,0,0],[0,12,0]]),80,0)+np.exp(.6*r.standard_normal((240,3))),3)
X_('new: 2 far groups of 2 blobs d2 n240',lambda r:np.repeat(np.array([[0,0],[0,8],[40,0],[40,8]]),60,0)+r.standard_normal((240,2)),(2,4))
X_('new: binary, 3 prototypes, 10% flipped d20 n240',lambda r:(lambda Pp:np.abs(np.repeat(Pp,80,0)-(r.uniform(size=(240,20))<.1)))((r.uniform(size=(3,20))<.5)*1.),3)
X_('new: 3 blobs + 1 outlier at 100 d3 n241',lambda r:np.vstack([blobs(r,3,3,240,8),[[100,100,100]]]),(3,NO))
