use std::{
    future::{Future, pending},
    sync::Arc,
    time::Duration,
};

use tokio::time::sleep;

use super::{Call, Fault, script::Script};
use crate::{
    runtime::background,
    store::{
        Begin, ClaimId, CompletionSql, Held, Inspect, Lease, NewClaim, Record, Renewed, Store,
        StoreError, StoreKey,
    },
};

/// A store that fails when a test says so, and counts its calls.
///
/// It passes everything on to another store, and keeps the contract of [`Store`] as long as the test says
/// nothing. Clones share the store, the faults and the counts: give one to a middleware and keep the other.
///
/// ```
/// use actix_web::{App, HttpResponse, test::{TestRequest, init_service}, web};
/// use actix_web_idempotency::{
///     Idempotency, MemoryStore, Scope,
///     testing::{Call, Fault, FaultyStore, Runs, in_turn},
/// };
///
/// async fn pay(runs: web::Data<Runs>) -> HttpResponse {
///     HttpResponse::Created().body(format!("payment {}", runs.note()))
/// }
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (store, runs) = (FaultyStore::new(MemoryStore::new()), Runs::new());
/// let app = App::new()
///     .app_data(web::Data::new(runs.clone()))
///     .wrap(Idempotency::new(store.clone(), Scope::global())?)
///     .route("/payments", web::post().to(pay));
/// let app = init_service(app).await;
/// let request = || TestRequest::post().uri("/payments").insert_header(("idempotency-key", "a"));
///
/// // One outage, then all is well.
/// store.next(Call::Begin, Fault::Unavailable);
/// let replies = in_turn(&app, 3, || request().to_request()).await;
/// assert_eq!(replies.statuses(), [503, 201, 201]);
/// replies.assert_ran_once(&runs);
///
/// // A request without a key costs nothing.
/// let asked = store.calls(Call::Begin);
/// in_turn(&app, 1, || TestRequest::get().uri("/payments").to_request()).await;
/// store.assert_calls(Call::Begin, asked);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct FaultyStore<S> {
    pub(super) store: Arc<S>,
    script: Arc<Script>,
}

impl<S> FaultyStore<S> {
    /// Wraps a store.
    pub fn new(store: S) -> Self {
        Self {
            store: Arc::new(store),
            script: Arc::default(),
        }
    }

    /// Makes the next call of this kind fail that has no fault yet.
    pub fn next(&self, call: Call, fault: Fault) {
        self.script.next(call, fault);
    }

    /// Makes the next `calls` calls fail that have no fault yet.
    pub fn next_n(&self, calls: usize, call: Call, fault: Fault) {
        for _ in 0..calls {
            self.next(call, fault);
        }
    }

    /// Makes all calls of this kind fail, after those of [`next`](Self::next), until the test calls
    /// [`recover`](Self::recover).
    pub fn always(&self, call: Call, fault: Fault) {
        self.script.always(call, fault);
    }

    /// Makes all calls fail. `away(Fault::Unavailable)` is an outage.
    pub fn away(&self, fault: Fault) {
        for call in Call::ALL {
            self.always(call, fault);
        }
    }

    /// Ends all faults. The counts stay.
    pub fn recover(&self) {
        self.script.clear();
    }

    /// Leaves every claim and lock that was made through this store so far to its lease, as if the process
    /// of its owner had been killed: nothing renews, completes or releases it any more, and its owner learns
    /// that it is lost. What the handler does goes on, for this process is not killed.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use actix_web::{App, HttpResponse, test::{TestRequest, init_service}, web};
    /// use actix_web_idempotency::{
    ///     Claim, ExpiredLease, Idempotency, MemoryStore, Scope,
    ///     testing::{BackgroundHere, FaultyStore, in_turn},
    /// };
    ///
    /// type Store = FaultyStore<MemoryStore>;
    ///
    /// async fn pay(claim: Claim, store: web::Data<Store>) -> HttpResponse {
    ///     if claim.attempt().get() == 1 {
    ///         store.crash_owners(); // here the process is killed
    ///     }
    ///     HttpResponse::Created().body(format!("attempt {}", claim.attempt()))
    /// }
    ///
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// tokio::time::pause(); // leases in memory expire by this clock
    /// let _here = BackgroundHere::here();
    /// for (policy, status) in [(ExpiredLease::Reexecute, 201), (ExpiredLease::Refuse, 409)] {
    ///     let store = Store::new(MemoryStore::new());
    ///     let keys = Idempotency::builder(store.clone(), Scope::global()).on_expired_lease(policy);
    ///     let app = App::new()
    ///         .app_data(web::Data::new(store))
    ///         .wrap(keys.build()?)
    ///         .route("/payments", web::post().to(pay));
    ///     let app = init_service(app).await;
    ///     let request = || {
    ///         let request = TestRequest::post().uri("/payments");
    ///         request.insert_header(("idempotency-key", "a")).to_request()
    ///     };
    ///     let killed = in_turn(&app, 2, request).await; // and a retry, too early
    ///     assert_eq!(killed.statuses()[1], 409);
    ///
    ///     tokio::time::advance(Duration::from_secs(30)).await; // the lease
    ///     let retry = in_turn(&app, 1, request).await;
    ///     assert_eq!(retry.statuses(), [status]);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn crash_owners(&self) {
        self.script.crash();
    }

    /// Returns the number of calls of this kind, failed ones included.
    pub fn calls(&self, call: Call) -> usize {
        self.script.count(call)
    }

    /// Asserts how many calls of this kind were made.
    ///
    /// # Panics
    ///
    /// If there were more or fewer; the text lists all calls.
    #[track_caller]
    pub fn assert_calls(&self, call: Call, expected: usize) {
        let made = self.calls(call);
        assert!(
            made == expected,
            "the store was asked to {call} {made} times, not {expected} (in all: {})",
            self.script
        );
    }

    /// Asserts that no call was made.
    ///
    /// # Panics
    ///
    /// If there was one; the text lists all calls.
    #[track_caller]
    pub fn assert_not_asked(&self) {
        let asked = Call::ALL.into_iter().any(|call| self.calls(call) > 0);
        assert!(!asked, "the store was asked: {}", self.script);
    }
}

impl<S: Inspect> FaultyStore<S> {
    /// Takes every claim and lock that was made through this store away from its owner, as an operator can.
    /// Records stay. Returns how many there were.
    ///
    /// # Errors
    ///
    /// When the store underneath cannot be asked.
    pub async fn lose_claims(&self) -> Result<usize, StoreError> {
        let mut lost = 0;
        for key in self.script.keys() {
            lost += usize::from(self.store.force_release(&key).await?);
        }
        Ok(lost)
    }

    /// Forgets every claim, lock and record that was made through this store, as a store that restarts without
    /// its disk. Returns how many there were.
    ///
    /// # Errors
    ///
    /// When the store underneath cannot be asked.
    pub async fn forget_everything(&self) -> Result<usize, StoreError> {
        let mut forgotten = 0;
        for key in self.script.keys() {
            forgotten += usize::from(self.store.delete(&key).await?);
        }
        Ok(forgotten)
    }
}

impl<S: Store> FaultyStore<S> {
    /// Carries a call out, or fails as the test has said.
    async fn carry_out<T: Send + 'static>(
        &self,
        call: Call,
        lease: Option<Lease>,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        match self.script.made(call) {
            None => work.await,
            Some(Fault::Unavailable) => Err(StoreError::unavailable("a test has said so")),
            Some(Fault::TimedOut { carried_out }) => {
                only_if(carried_out, work).await?;
                Err(StoreError::timeout())
            }
            Some(Fault::NoAnswer { carried_out }) => {
                only_if(carried_out, work).await?;
                pending().await
            }
            Some(Fault::Delayed(time)) => {
                sleep(time).await;
                work.await
            }
            Some(Fault::Late(time)) => {
                background::spawn(async move {
                    sleep(time).await;
                    let _ = work.await; // nobody is told
                });
                pending().await
            }
            Some(Fault::ClaimLost) if call == Call::Begin => {
                let begun = work.await?;
                self.lose(lease).await?;
                Ok(begun)
            }
            Some(Fault::ClaimLost) => {
                self.lose(lease).await?;
                work.await
            }
        }
    }

    async fn lose(&self, lease: Option<Lease>) -> Result<(), StoreError> {
        if let Some(lease) = lease {
            self.store.release(&lease).await?;
        }
        Ok(())
    }
}

async fn only_if<T>(
    carried_out: bool,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<(), StoreError> {
    match carried_out {
        true => work.await.map(drop),
        false => Ok(()),
    }
}

impl<S: Store> Store for FaultyStore<S> {
    async fn begin(&self, claim: &NewClaim) -> Result<Begin, StoreError> {
        self.script.saw(&claim.key, claim.token);
        let (store, claim) = (Arc::clone(&self.store), claim.clone());
        let lease = Some(claim.lease());
        let work = async move { store.begin(&claim).await };
        self.carry_out(Call::Begin, lease, work).await
    }

    async fn renew(&self, lease: &Lease) -> Result<Renewed, StoreError> {
        let (store, own) = (Arc::clone(&self.store), lease.clone());
        let has_crashed = self.script.has_crashed(lease.token());
        let work = async move {
            match has_crashed {
                true => Ok(Renewed::Lost),
                false => store.renew(&own).await,
            }
        };
        let lease = Some(lease.clone());
        self.carry_out(Call::Renew, lease, work).await
    }

    async fn complete(
        &self,
        lease: &Lease,
        record: &Record,
        retention: Duration,
    ) -> Result<Held, StoreError> {
        let (store, own, record) = (Arc::clone(&self.store), lease.clone(), record.clone());
        let has_crashed = self.script.has_crashed(lease.token());
        let work = async move {
            match has_crashed {
                true => Ok(Held::Lost),
                false => store.complete(&own, &record, retention).await,
            }
        };
        let lease = Some(lease.clone());
        self.carry_out(Call::Complete, lease, work).await
    }

    async fn release(&self, lease: &Lease) -> Result<Held, StoreError> {
        let (store, own) = (Arc::clone(&self.store), lease.clone());
        let has_crashed = self.script.has_crashed(lease.token());
        let work = async move {
            match has_crashed {
                true => Ok(Held::Lost),
                false => store.release(&own).await,
            }
        };
        let lease = Some(lease.clone());
        self.carry_out(Call::Release, lease, work).await
    }

    async fn changed(&self, key: &StoreKey, seen: &ClaimId) -> Result<(), StoreError> {
        let (store, key, seen) = (Arc::clone(&self.store), key.clone(), *seen);
        let work = async move { store.changed(&key, &seen).await };
        self.carry_out(Call::Changed, None, work).await
    }

    fn completion(&self) -> Option<CompletionSql> {
        self.store.completion()
    }
}

/// Whatever `S` is: nothing of it is copied.
impl<S> Clone for FaultyStore<S> {
    fn clone(&self) -> Self {
        Self {
            store: Arc::clone(&self.store),
            script: Arc::clone(&self.script),
        }
    }
}
