#include <stdlib.h>
#include <string.h>
#include <math.h>
#include <stdint.h>
static uint64_t s;
static double rnd(void){ s+=0x9E3779B97F4A7C15ULL; uint64_t z=s; z=(z^(z>>30))*0xBF58476D1CE4E5B9ULL; z=(z^(z>>27))*0x94D049BB133111EBULL; z^=z>>31; return (z>>11)*(1.0/9007199254740992.0);}
static inline double d2(const double*a,const double*b,int p){double r=0;for(int i=0;i<p;i++){double d=a[i]-b[i];r+=d*d;}return r;}
/* greedy k-means++ (2+ln K trials), Lloyd until labels stand still, best of ninit */
double kmeans(const double*X,int n,int p,int K,int ninit,int maxit,uint64_t seed,int*lab,double*C){
  s=seed; double best=INFINITY; int T=2+(int)log(K);
  double*c=malloc(sizeof(double)*K*p),*nc=malloc(sizeof(double)*K*p),*m=malloc(sizeof(double)*n),*q=malloc(sizeof(double)*n),*bq=malloc(sizeof(double)*n);
  int*l=malloc(sizeof(int)*n),*cnt=malloc(sizeof(int)*K);
  for(int it=0;it<ninit;it++){
    int f=(int)(rnd()*n); memcpy(c,X+(size_t)f*p,sizeof(double)*p); double tot=0;
    for(int i=0;i<n;i++){m[i]=d2(X+(size_t)i*p,c,p);tot+=m[i];}
    for(int k=1;k<K;k++){ double bt=INFINITY;int bi=0;
      for(int t=0;t<T;t++){ double r=rnd()*tot;int i=0;double a=0; for(i=0;i<n-1;i++){a+=m[i];if(a>r)break;}
        double nt=0; for(int j=0;j<n;j++){double d=d2(X+(size_t)j*p,X+(size_t)i*p,p);q[j]=d<m[j]?d:m[j];nt+=q[j];}
        if(nt<bt){bt=nt;bi=i;memcpy(bq,q,sizeof(double)*n);} }
      memcpy(c+k*p,X+(size_t)bi*p,sizeof(double)*p);memcpy(m,bq,sizeof(double)*n);tot=bt;}
    for(int i=0;i<n;i++)l[i]=-1;
    double in=0;
    for(int iter=0;iter<maxit;iter++){ int ch=0; in=0;
      for(int i=0;i<n;i++){double b=INFINITY;int bk=0;for(int k=0;k<K;k++){double d=d2(X+(size_t)i*p,c+k*p,p);if(d<b){b=d;bk=k;}} if(l[i]!=bk){ch=1;l[i]=bk;} m[i]=b;in+=b;}
      if(!ch)break;
      memset(nc,0,sizeof(double)*K*p);memset(cnt,0,sizeof(int)*K);
      for(int i=0;i<n;i++){cnt[l[i]]++;for(int j=0;j<p;j++)nc[l[i]*p+j]+=X[(size_t)i*p+j];}
      for(int k=0;k<K;k++){ if(cnt[k]) for(int j=0;j<p;j++)c[k*p+j]=nc[k*p+j]/cnt[k];
        else {int far=0;for(int i=0;i<n;i++)if(m[i]>m[far])far=i; memcpy(c+k*p,X+(size_t)far*p,sizeof(double)*p);m[far]=0;}}
    }
    if(in<best){best=in;memcpy(lab,l,sizeof(int)*n);memcpy(C,c,sizeof(double)*K*p);}
  }
  free(c);free(nc);free(m);free(q);free(bq);free(l);free(cnt);return best;}
void dist(const double*X,int n,int p,float*D){for(int i=0;i<n;i++){D[(size_t)i*n+i]=0;for(int j=0;j<i;j++){float d=sqrt(d2(X+(size_t)i*p,X+(size_t)j*p,p));D[(size_t)i*n+j]=D[(size_t)j*n+i]=d;}}}
void sil(const float*D,int n,int K,const int*lab,double*out){
  double S[64];int cnt[64];memset(cnt,0,sizeof cnt);for(int i=0;i<n;i++)cnt[lab[i]]++;
  for(int i=0;i<n;i++){memset(S,0,sizeof(double)*K);const float*d=D+(size_t)i*n;for(int j=0;j<n;j++)S[lab[j]]+=d[j];
    int o=lab[i];if(cnt[o]<2){out[i]=0;continue;}double a=S[o]/(cnt[o]-1),b=INFINITY;for(int k=0;k<K;k++)if(k!=o&&cnt[k]){double v=S[k]/cnt[k];if(v<b)b=v;}
    double m=a>b?a:b;out[i]=m>0?(b-a)/m:0;}}
